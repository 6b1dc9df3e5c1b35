/** What an answer says of limits: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and the older `X-RateLimit-*`. */

import { NumberText } from '../lib/number-text.js';
import type { LimitState } from './limit-states.js';

/** Writes the header fields of one caller, whose limits stay the same objects. It is done for every call. */
export class LimitHeaders {
  readonly #states: readonly LimitState[];
  #policies: string[] = [];
  #policyLine = '';
  /** Whether each limit has a time at which it is whole again, when `#line` was made. */
  #resets: boolean[] = [];
  #line = new NumberText([]);
  /** What stands in the line: a list that is kept for the next call. */
  readonly #numbers: number[] = [];

  constructor(states: readonly LimitState[]) {
    this.#states = states;
  }

  /** How the limits stand, as names and values in turn; none without limits. Times are whole seconds. */
  list(): string[] {
    const tightest = this.#tightest();
    if (!tightest) return [];
    return [
      'RateLimit-Policy',
      this.#policy(),
      'RateLimit',
      this.#limits(),
      'X-RateLimit-Limit',
      String(tightest.quota),
      'X-RateLimit-Remaining',
      String(tightest.left),
      'X-RateLimit-Reset',
      String(secondsOf(tightest.resetMs ?? 0)),
    ];
  }

  #tightest(): LimitState | undefined {
    let tightest = this.#states[0];
    if (!tightest) return undefined;
    for (const state of this.#states) if (isTighter(state, tightest)) tightest = state;
    return tightest;
  }

  #policy(): string {
    let isSame = this.#policies.length > 0;
    for (let index = 0; index < this.#states.length; index += 1) {
      if (this.#states[index]?.policy !== this.#policies[index]) isSame = false;
    }
    if (!isSame) {
      this.#policies = this.#states.map(({ policy }) => policy);
      this.#policyLine = this.#policies.join(', ');
    }
    return this.#policyLine;
  }

  #limits(): string {
    let isSame = this.#resets.length > 0;
    let count = 0;
    this.#states.forEach(({ left, resetMs }, index) => {
      this.#numbers[count++] = left;
      if (resetMs !== null) this.#numbers[count++] = secondsOf(resetMs);
      if ((resetMs !== null) !== this.#resets[index]) isSame = false;
    });
    if (!isSame) this.#layOut(count);
    return this.#line.with(this.#numbers);
  }

  #layOut(count: number): void {
    this.#resets = this.#states.map(({ resetMs }) => resetMs !== null);
    this.#numbers.length = count;
    const words = this.#states.flatMap(({ name }, index) => {
      const start = `${index === 0 ? '' : ', '}"${name}";r=`;
      return this.#resets[index] ? [start, ';t='] : [start];
    });
    this.#line = new NumberText([...words, '']);
  }
}

/** One item of `RateLimit-Policy`. It hardly ever changes, so whoever has a limit keeps it. */
export function policyText(name: string, quota: number, windowMs: number | null, unit?: string): string {
  const window = windowMs === null ? '' : `;w=${secondsOf(windowMs)}`;
  return `"${name}";q=${quota}${window}${unit === undefined ? '' : `;qu="${unit}"`}`;
}

/** Rounded up, so that nobody comes back too early. */
export function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000);
}

/** Whichever a client would meet first. Calls in flight end by themselves, so any other limit tells more. */
function isTighter(one: LimitState, other: LimitState): boolean {
  if (one.counts === 'concurrency') return false;
  if (other.counts === 'concurrency') return true;
  return one.left < other.left || (one.left === other.left && endOf(one) > endOf(other));
}

function endOf({ resetMs }: LimitState): number {
  return resetMs ?? Number.POSITIVE_INFINITY;
}
