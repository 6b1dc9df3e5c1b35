/** What an answer says of limits: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and the older `X-RateLimit-*`. */

import type { LimitState } from './limit-states.js';

/** Writes `RateLimit-Policy`. */
export type PolicyLine = (states: readonly LimitState[]) => string;

/** The header fields, names and values in turn; none without limits. Times are whole seconds. */
export function limitHeaders(states: readonly LimitState[], policyLine: PolicyLine = policyLineOf): string[] {
  let tightest = states[0];
  if (!tightest) return [];
  let limit = '';
  for (const state of states) {
    const comma = limit === '' ? '' : ', ';
    limit += `${comma}"${state.name}";r=${state.left}`;
    if (state.resetMs !== null) limit += `;t=${secondsOf(state.resetMs)}`;
    if (isTighter(state, tightest)) tightest = state;
  }
  return [
    'RateLimit-Policy',
    policyLine(states),
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

/** Makes a writer for one caller that remembers what it wrote: policies change with a window, or not at all. */
export function createPolicyLine(): PolicyLine {
  let last: { policies: string[]; line: string } | undefined;
  return (states) => {
    if (!last || !states.every(({ policy }, index) => policy === last?.policies[index])) {
      last = { policies: states.map(({ policy }) => policy), line: policyLineOf(states) };
    }
    return last.line;
  };
}

function policyLineOf(states: readonly LimitState[]): string {
  return states.map(({ policy }) => policy).join(', ');
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
