/** What holds for a caller: the limits of its key and those of its customer, made ready to be checked call by call. */

import { billingPeriodOf, type Customer } from '../domain/customer.js';
import type { ApiKey } from '../domain/key.js';
import {
  type HeldLimits,
  heldLimits,
  type Limits,
  type LimitsFound,
  type QuotaSpan,
} from '../domain/limit.js';
import type { Period } from '../domain/subscription.js';
import type { PriceTerms } from '../lib/pricing.js';
import type { Counted, CountedSpan } from './counters.js';
import { endOfTimeMs, spanAt } from './spans.js';
import { affordableUnits } from './spend.js';

/** A key with its customer, as authentication finds them. */
export interface Caller {
  key: ApiKey;
  customer: Customer;
}

/** Why units are refused. */
export type BoundRefusal = 'quota_exceeded' | 'spend_cap_reached' | 'prepaid_exhausted';

/** A bound on the units of a span. */
export interface Bound {
  refused: BoundRefusal;
  /** What headers call it. */
  name: string;
  /** How many units the span may hold, when the ledger has `committed` of them. */
  unitsMax(committed: number): number;
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
  /** `key-` before the names of a key's limits. */
  prefix: string;
  held: HeldLimits;
  spans: BoundedSpan[];
}

/** What holds for a caller. */
export interface CallerLimits {
  /** The price that it was made for. */
  priceId: string;
  /** None where nothing holds. */
  scopes: Scope[];
}

/** Makes ready what was found. `defaults` stand below all other places, and hold for customers. */
export function callerLimits(
  { key, customer }: Caller,
  price: { id: string; termsOf(priceId: string): PriceTerms },
  found: LimitsFound,
  defaults: Limits,
): CallerLimits {
  const ofCustomer = heldLimits([defaults, found.plan, found.customer]);
  const ofKey = heldLimits([found.key]);
  const spent = () => price.termsOf(price.id);
  const scopes: Scope[] = [
    scopeOf({ whose: { kind: 'key', no: key.no, id: key.id }, prefix: 'key-', held: ofKey }, customer, spent),
    scopeOf(
      { whose: { kind: 'customer', no: customer.no, id: customer.id }, prefix: '', held: ofCustomer },
      customer,
      spent,
    ),
  ];
  return {
    priceId: price.id,
    scopes: scopes.filter(({ held }) => Object.values(held).some((limit) => limit !== null)),
  };
}

function scopeOf(scope: Omit<Scope, 'spans'>, customer: Customer, termsOf: () => PriceTerms): Scope {
  const { prefix } = scope;
  const { quota, spendCapMinor, prepaid } = scope.held;
  const spans: BoundedSpan[] = [];
  function add(span: CountedSpan, bound: Bound, windowAt: BoundedSpan['windowAt']): void {
    const same = spans.find((other) => other.span === span);
    if (same) same.bounds.push(bound);
    else spans.push({ span, windowAt, bounds: [bound] });
  }
  if (quota) {
    const bound: Bound = { refused: 'quota_exceeded', name: `${prefix}quota`, unitsMax: () => quota.units };
    add(quota.per, bound, windowsOf(quota.per, customer));
  }
  if (spendCapMinor !== null) {
    const unitsMax = spendBound(spendCapMinor, termsOf);
    const bound: Bound = { refused: 'spend_cap_reached', name: `${prefix}spend`, unitsMax };
    add('period', bound, windowsOf('period', customer));
  }
  if (prepaid) {
    const window = { startMs: prepaid.sinceMs, endMs: endOfTimeMs };
    const unitsMax = () => prepaid.units;
    add('prepaid', { refused: 'prepaid_exhausted', name: `${prefix}prepaid`, unitsMax }, () => window);
  }
  return { ...scope, spans };
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

/** Prices are worked out only when the count leaves the range that is known to be affordable, or the price is another. */
function spendBound(capMinor: number, termsOf: () => PriceTerms): Bound['unitsMax'] {
  let known: { terms: PriceTerms; first: number; last: number } | undefined;
  return (committed) => {
    const terms = termsOf();
    const first = Math.max(0, committed);
    if (known?.terms !== terms || first < known.first || first > known.last + 1) {
      known = { terms, first, last: affordableUnits(terms, capMinor, first) };
    }
    return known.last;
  };
}
