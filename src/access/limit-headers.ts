/** What an answer says of limits: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and the older `X-RateLimit-*`. */

import type { LimitState } from './limit-states.js';

/**
 * Writes the header fields of one caller, whose limits stay the same objects. It is done for every call, and remembers what
 * it wrote: of eight limits few change between two calls.
 */
export class LimitHeaders {
  readonly #states: readonly LimitState[];
  readonly #items: Item[];
  #policies: string[] = [];
  #policyLine = '';

  constructor(states: readonly LimitState[]) {
    this.#states = states;
    this.#items = states.map((state, index) => new Item(state, index === 0 ? '' : ', '));
  }

  /** How the limits stand, as names and values in turn; none without limits. Times are whole seconds. */
  list(): string[] {
    let tightest = this.#states[0];
    if (!tightest) return [];
    let limit = '';
    for (const item of this.#items) {
      limit += item.text();
      if (isTighter(item.state, tightest)) tightest = item.state;
    }
    return [
      'RateLimit-Policy',
      this.#policy(),
      'RateLimit',
      limit,
      'X-RateLimit-Limit',
      String(tightest.quota),
      'X-RateLimit-Remaining',
      String(tightest.left),
      'X-RateLimit-Reset',
      String(secondsOf(tightest.resetMs ?? 0)),
    ];
  }

  #policy(): string {
    if (this.#states.some(({ policy }, index) => policy !== this.#policies[index])) {
      this.#policies = this.#states.map(({ policy }) => policy);
      this.#policyLine = this.#policies.join(', ');
    }
    return this.#policyLine;
  }
}

/** One item of `RateLimit`. Units change with every call, the seconds until they come back once a second. */
class Item {
  readonly state: LimitState;
  readonly #start: string;
  #left = -1;
  #seconds = -1;
  #end = '';
  #text = '';

  constructor(state: LimitState, comma: string) {
    this.state = state;
    this.#start = `${comma}"${state.name}";r=`;
  }

  text(): string {
    const { left, resetMs } = this.state;
    const seconds = resetMs === null ? -1 : secondsOf(resetMs);
    if (left === this.#left && seconds === this.#seconds) return this.#text;
    if (seconds !== this.#seconds) this.#end = resetMs === null ? '' : `;t=${seconds}`;
    this.#left = left;
    this.#seconds = seconds;
    this.#text = `${this.#start}${left}${this.#end}`;
    return this.#text;
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
