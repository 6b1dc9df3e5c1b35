/** Why a limit refuses a call, in words and headers. */

import assert from 'node:assert';
import { pairs } from '../lib/header-list.js';
import { secondsOf } from './limit-headers.js';
import { type LimitRefusalCode, type LimitState, lookAt, type Stand } from './limit-states.js';

/** A call that was refused; it has used up nothing. */
export interface LimitRefusal {
  refused: LimitRefusalCode;
  detail: string;
  headers: Record<string, string>;
}

/**
 * The refusal by the first limit that leaves too little for so many units and, unless it runs already, one call. They must
 * not fit into all: see `fits`.
 */
export function refusalBy(stand: Stand, units: number, calls: 0 | 1 = 1): LimitRefusal {
  lookAt(stand);
  const { states, headers: said } = stand.limits;
  const state = states.find(({ counts, left }) => left < (counts === 'units' ? units : calls));
  assert(state, 'a limit that refuses leaves too little');
  const headers: Record<string, string> = Object.fromEntries(pairs(said.list()));
  const answers429 = state.refused === 'rate_limited' || state.refused === 'quota_exceeded';
  if (answers429) headers['Retry-After'] = String(Math.max(1, secondsOf(state.waitMs ?? 0)));
  return { refused: state.refused, detail: detailOf(state, units), headers };
}

function detailOf(state: LimitState, units: number): string {
  const whose = state.name.startsWith('key-') ? 'This key' : 'This customer';
  if (state.counts === 'concurrency') return `${whose} may have ${state.quota} calls in flight at a time.`;
  if (state.counts === 'calls') {
    return `${whose} may make ${state.quota} calls every ${secondsOf(state.windowMs ?? 0)} s.`;
  }
  const asked = units === 1 ? '' : ` This call may take ${units}.`;
  return `${words[state.refused]} ${state.left} units are left.${asked}`;
}

const words: Record<LimitRefusalCode, string> = {
  rate_limited: 'Too many calls were made.',
  quota_exceeded: 'The quota is used up.',
  spend_cap_reached: 'The spend cap of this billing period is reached.',
  prepaid_exhausted: 'The prepaid units are used up.',
};
