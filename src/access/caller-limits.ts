/** What holds for a caller: the limits of its key and those of its customer, made ready to be checked call by call. */

import type { AlertedLimit } from '../domain/alert.js';
import { billingPeriodOf, type Customer } from '../domain/customer.js';
import type { ApiKey } from '../domain/key.js';
import {
  type HeldLimits,
  heldLimits,
  type Limits,
  type LimitsFound,
  type QuotaSpan,
  type Rate,
} from '../domain/limit.js';
import type { Period } from '../domain/subscription.js';
import type { PriceTerms } from '../lib/pricing.js';
import type { Counted, CountedSpan, Counter } from './counters.js';
import { LimitHeaders } from './limit-headers.js';
import { type LimitState, newState } from './limit-states.js';
import { endOfTimeMs, spanAt } from './spans.js';
import { affordableUnits, costOf } from './spend.js';

/** A key with its customer, as authentication finds them. */
export interface Caller {
  key: ApiKey;
  customer: Customer;
}

/** Why units are refused. */
export type BoundRefusal = 'quota_exceeded' | 'spend_cap_reached' | 'prepaid_exhausted';

/** A bound on the units of a span. */
export interface Bound {
  state: LimitState;
  /** What alerts call it. */
  limit: AlertedLimit;
  /** In units, or minor units of money. */
  allowed: number;
  /** How many units the span may hold, when the ledger has `committed` of them. */
  unitsMax(committed: number): number;
  /** What units come to, in terms of what is allowed. */
  measure(units: number): number;
  /** The first number of units, from `fromUnits` on, that comes to so much. */
  unitsFor(amount: number, fromUnits: number): number;
  /** How many thresholds are told of this counter, and at how many units there is another one. */
  told?: { counter: Counter; thresholds: number; nextUnits: number };
}

/** The bounds on one count. Quota and spend cap may both count the units of a period. */
export interface BoundedSpan {
  span: CountedSpan;
  /** The window that contains the time. */
  windowAt(atMs: number): Period;
  bounds: Bound[];
}

/** What holds for the key, or for the customer. */
export interface Scope {
  whose: Counted;
  held: HeldLimits;
  /** Those limits that do not count units. */
  concurrency: LimitState | null;
  rate: LimitState | null;
  spans: BoundedSpan[];
}

/** What holds for a caller. */
export interface CallerLimits {
  /** The price that it was made for. */
  priceId: string;
  /** None where nothing holds. */
  scopes: Scope[];
  /** All of their limits, the cheapest to check first. */
  states: LimitState[];
  headers: LimitHeaders;
}

/** Makes ready what was found. `defaults` stand below all other places, and hold for customers. */
export function callerLimits(
  { key, customer }: { key?: ApiKey; customer: Customer },
  price: { id: string; termsOf(priceId: string): PriceTerms },
  found: LimitsFound,
  defaults: Limits,
): CallerLimits {
  const ofCustomer = heldLimits([defaults, found.plan, found.customer]);
  const ofKey = heldLimits([found.key]);
  const termsOf = () => price.termsOf(price.id);
  const scopes: Scope[] = [];
  if (key && holds(ofKey)) {
    scopes.push(scopeOf({ kind: 'key', no: key.no, id: key.id }, ofKey, customer, termsOf));
  }
  if (holds(ofCustomer)) {
    const whose: Counted = { kind: 'customer', no: customer.no, id: customer.id };
    scopes.push(scopeOf(whose, ofCustomer, customer, termsOf));
  }
  const states = [...scopes.flatMap(callStates), ...scopes.flatMap(unitStates)];
  return { priceId: price.id, scopes, states, headers: new LimitHeaders(states) };
}

/** The limits, once it is known what their money buys. */
export async function withTerms(
  limits: CallerLimits,
  termsReady: (priceId: string) => Promise<void>,
): Promise<CallerLimits> {
  if (limits.scopes.some(({ held }) => held.spendCapMinor !== null)) await termsReady(limits.priceId);
  return limits;
}

function holds(held: HeldLimits): boolean {
  return Object.values(held).some((limit) => limit !== null);
}

function callStates({ concurrency, rate }: Scope): LimitState[] {
  return [concurrency, rate].filter((state) => state !== null);
}

function unitStates({ spans }: Scope): LimitState[] {
  return spans.flatMap(({ bounds }) => bounds.map(({ state }) => state));
}

function scopeOf(whose: Counted, held: HeldLimits, customer: Customer, termsOf: () => PriceTerms): Scope {
  const { rate, maxInFlight, quota, spendCapMinor, prepaid } = held;
  /** What headers call its limits: with `key-` before them those of a key. */
  const prefix = whose.kind === 'key' ? 'key-' : '';
  const spans: BoundedSpan[] = [];
  function add(span: CountedSpan, bound: Bound, windowAt: BoundedSpan['windowAt']): void {
    const same = spans.find((other) => other.span === span);
    if (same) same.bounds.push(bound);
    else spans.push({ span, windowAt, bounds: [bound] });
  }
  if (quota) {
    const state = unitState(`${prefix}quota`, 'quota_exceeded', quota.units);
    add(quota.per, unitBound(state, 'quota'), windowsOf(quota.per, customer));
  }
  if (spendCapMinor !== null) {
    const state = unitState(`${prefix}spend`, 'spend_cap_reached', 0);
    add('period', spendBound(state, spendCapMinor, termsOf), windowsOf('period', customer));
  }
  if (prepaid) {
    const window = { startMs: prepaid.sinceMs, endMs: endOfTimeMs };
    const state = unitState(`${prefix}prepaid`, 'prepaid_exhausted', prepaid.units);
    add('prepaid', unitBound(state, 'prepaid_units'), () => window);
  }
  return {
    ...{ whose, held, spans },
    concurrency: maxInFlight === null ? null : concurrencyState(`${prefix}concurrency`, maxInFlight),
    rate: rate && rateState(`${prefix}rate`, rate),
  };
}

function concurrencyState(name: string, quota: number): LimitState {
  const kind = { refused: 'rate_limited', counts: 'concurrency' } as const;
  return newState(name, kind, { quota, windowMs: null, unit: 'concurrent-requests' });
}

function rateState(name: string, { count, perMs }: Rate): LimitState {
  return newState(name, { refused: 'rate_limited', counts: 'calls' }, { quota: count, windowMs: perMs });
}

function unitState(name: string, refused: BoundRefusal, quota: number): LimitState {
  return newState(name, { refused, counts: 'units' }, { quota, windowMs: null });
}

/** The windows of a span; the last one is remembered, as nearly every call lies in it. */
function windowsOf(span: QuotaSpan, customer: Customer): BoundedSpan['windowAt'] {
  let last: Period | undefined;
  return (atMs) => {
    if (!last || atMs < last.startMs || atMs >= last.endMs) {
      last = spanAt(span, atMs, span === 'period' ? billingPeriodOf(customer, atMs) : undefined);
    }
    return last;
  };
}

function unitBound(state: LimitState, limit: AlertedLimit): Bound {
  const allowed = state.quota;
  return {
    ...{ state, limit, allowed },
    unitsMax: () => allowed,
    measure: (units) => units,
    unitsFor: (amount) => amount,
  };
}

/** Prices are worked out only when the count leaves the range that is known to be affordable, or the price is another. */
function spendBound(state: LimitState, allowed: number, termsOf: () => PriceTerms): Bound {
  let known: { terms: PriceTerms; first: number; last: number } | undefined;
  return {
    ...{ state, limit: 'spend_cap', allowed },
    unitsMax(committed) {
      const terms = termsOf();
      const first = Math.max(0, committed);
      if (known?.terms !== terms || first < known.first || first > known.last + 1) {
        known = { terms, first, last: affordableUnits(terms, allowed, first) };
      }
      return known.last;
    },
    measure: (units) => costOf(termsOf(), units),
    unitsFor: (amount, fromUnits) => affordableUnits(termsOf(), amount - 1, fromUnits) + 1,
  };
}
