/** One call that was let in: what its handler says, what its answer tells, and how it ends. */

import { MeterctlError } from '../domain/error.js';
import type { RouteRule } from '../domain/route.js';
import { unrecorded } from '../http/admit.js';
import type { AnswerHead } from '../http/gateway/answer-head.js';
import { type CallEnd, type CallMeter, freeOfCharge, RefusedCall } from '../http/gateway/call-meter.js';
import type { MeteredCall } from '../http/gateway/metered-call.js';
import type { Refusal } from '../http/problem.js';
import type { Clock } from '../lib/host.js';
import type { RequestSigns } from '../metering/tally.js';
import type { Meter } from './contract.js';
import type { SpokenTally } from './spoken-tally.js';

/** What the client is told instead of an answer that cannot be billed. */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof RefusedCall) return error.refusal;
  if (error instanceof MeterctlError) return unrecorded;
  return { refused: 'internal', detail: 'Internal error.' };
}

/** What an answer says before its body. */
export interface Head {
  status: number;
  /** Every `Meterctl-Units` of it. */
  unitsSaid: readonly string[];
  contentType: string | undefined;
  contentEncoding: string | undefined;
}

/** What a call is made of. */
export interface CallParts {
  requestId: string;
  rule: RouteRule;
  /** The body of the request, as far as it came. */
  request: RequestSigns;
  clock: Clock;
  /** A handler that goes on without its client, and gives nothing for so long, is given up. */
  idleMs: number;
  /** Absent on free routes. */
  sold?: Sold | undefined;
  ended(call: Call): void;
}

/** What is sold, and to whom. */
export interface Sold {
  billing: MeteredCall;
  tally: SpokenTally;
  customerId: string;
  keyId: string;
  /** Said to a customer whose access hangs on a grace. */
  warning: string | null;
}

/** A running call. */
export class Call {
  readonly meter: Meter;
  /** Header fields that every answer to the call gets: names and values in turn. */
  readonly fields: readonly string[];
  readonly #parts: CallParts;
  readonly #billing: CallMeter;
  readonly #over = new AbortController();
  #isWhole = false;
  #moved = false;
  #cut: () => void = () => undefined;

  constructor(parts: CallParts) {
    const { requestId, sold } = parts;
    this.#parts = parts;
    this.#billing = sold?.billing ?? freeOfCharge;
    this.fields = sold?.warning ? ['Meterctl-Warning', sold.warning] : [];
    this.meter = {
      units: (units) => this.#say(units),
      customerId: sold?.customerId,
      keyId: sold?.keyId,
      requestId,
    };
  }

  /** Whether the handler goes on to its end, for all of its price, without the client. */
  get outlivesClient(): boolean {
    return this.#billing.outlivesClient;
  }

  /** So much of the answer must be here before `head` can tell. */
  get holdBytesMax(): number {
    return this.#billing.holdBytesMax;
  }

  /** Whether all of the answer is here. Decided once, before `head`. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Resolves once the head may go out, with the fields to add to it. Rejects when the usage cannot be written. */
  head(head: Head, isWhole: boolean): Promise<string[]> {
    this.#isWhole = isWhole;
    if (isWhole) this.#billing.answered();
    const { status, unitsSaid, contentType, contentEncoding = 'identity' } = head;
    const encoded = contentEncoding.trim().toLowerCase() !== 'identity';
    const answer: AnswerHead = {
      status,
      statusText: '',
      headers: [],
      unitsSaid: [...unitsSaid],
      tellsLimits: false,
      contentType,
      encoded,
      upgrade: undefined,
      upgraded: false,
    };
    return this.#billing.head(answer, this.#parts.request);
  }

  /** A piece of the answer's body. */
  data(chunk: Uint8Array): void {
    this.#moved = true;
    this.#billing.data(chunk);
  }

  /** Whether the call has used up a limit: what has come goes out, and nothing more. */
  get isUsedUp(): boolean {
    return this.#billing.isUsedUp;
  }

  /** Has this called when the handler says more units than are left while its answer goes out. */
  whenUsedUp(cut: () => void): void {
    this.#cut = cut;
  }

  /** All of the answer is here. Gives the fields to add to its trailers, once what it costs is on disk. */
  answered(): string[] | Promise<string[]> {
    return this.#billing.answered();
  }

  /** The client is gone, and the handler goes on. It is given up when it rests for too long. */
  async goOnAlone(): Promise<void> {
    const { signal } = this.#over;
    do {
      this.#moved = false;
      await this.#parts.clock.sleep(this.#parts.idleMs, signal);
    } while (this.#moved && !signal.aborted);
    this.end('upstream-gone');
  }

  /** It is over; only the first word counts. */
  end(how: CallEnd): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#billing.end(how);
    this.#parts.ended(this);
  }

  async #say(units: number): Promise<void> {
    const { sold, rule } = this.#parts;
    if (!sold) return;
    sold.tally.say(units);
    await sold.billing.save();
    if (this.isUsedUp) {
      this.#cut();
      throw new MeterctlError(
        'conflict',
        `The limits of this customer leave less than ${String(units)} units.`,
        {
          hint: 'What they leave is billed, and the answer is cut off.',
        },
      );
    }
    if (Number.isSafeInteger(units) && units >= 0 && units <= rule.unitsMax) return;
    throw new MeterctlError(
      'invalid',
      // Without types a text may come here, and would read as the number that it spells.
      `Units must be a whole number from 0 to ${rule.unitsMax}, not ${typeof units === 'number' ? units : `a ${typeof units}`}.`,
      {
        hint: `If nothing else is said the call costs ${rule.fallbackUnits}: fallbackUnits of its price.`,
      },
    );
  }
}
