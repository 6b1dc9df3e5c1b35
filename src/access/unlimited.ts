/** Calls that no limit holds for. */

import type { Counter } from './counters.js';
import type { Admission, Reserving } from './reservation.js';

const noFields: readonly string[] = [];
const noCounters: readonly Counter[] = [];

/** A call that no limit holds for; what it uses may count for limits to come. */
export class Unlimited implements Admission {
  readonly held = 0;
  readonly atMs = undefined;
  readonly room = undefined;
  readonly #madeAtMs: number;
  readonly #caller: Pick<Reserving, 'settled'>;

  constructor(madeAtMs: number, caller: Pick<Reserving, 'settled'>) {
    this.#madeAtMs = madeAtMs;
    this.#caller = caller;
  }

  headers(): readonly string[] {
    return noFields;
  }

  hold(): undefined {
    return undefined;
  }

  holdUpTo(units: number): number {
    return units;
  }

  async lookAgain(): Promise<undefined> {
    return undefined;
  }

  settle(units: number, atMs = this.#madeAtMs): void {
    this.#caller.settled(units, atMs, noCounters);
  }

  excuse(): void {
    // It has taken nothing.
  }

  release(): void {
    // It holds nothing.
  }
}
