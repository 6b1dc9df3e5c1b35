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
} from '../domain/limit.js';
import type { Period } from '../domain/subscription.js';
import type { PriceTerms } from '../lib/pricing.js';
import type { Counted, CountedSpan, Counter } from './counters.js';
import { createPolicyLine, type PolicyLine, policyText } from './limit-headers.js';
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
  refused: BoundRefusal;
  /** What headers call it. */
  name: string;
  /** What headers say of it. */
  policyOf(quota: number, windowMs: number | null): string;
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
  /** What headers call its limits: with `key-` before them those of a key. */
  names: Record<'concurrency' | 'rate' | 'quota' | 'spend' | 'prepaid', string>;
  /** What headers say of those limits that do not count units. */
  policies: Record<'concurrency' | 'rate', string>;
  held: HeldLimits;
  spans: BoundedSpan[];
}

/** What holds for a caller. */
export interface CallerLimits {
  /** The price that it was made for. */
  priceId: string;
  /** None where nothing holds. */
  scopes: Scope[];
  policyLine: PolicyLine;
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
  const scopes: Omit<Scope, 'spans' | 'policies'>[] = [
    { whose: { kind: 'customer', no: customer.no, id: customer.id }, names: namesOf(''), held: ofCustomer },
  ];
  if (key) {
    scopes.unshift({ whose: { kind: 'key', no: key.no, id: key.id }, names: namesOf('key-'), held: ofKey });
  }
  return {
    priceId: price.id,
    policyLine: createPolicyLine(),
    scopes: scopes
      .filter(({ held }) => Object.values(held).some((limit) => limit !== null))
      .map((scope) => scopeOf(scope, customer, termsOf)),
  };
}

function namesOf(prefix: string): Scope['names'] {
  return {
    concurrency: `${prefix}concurrency`,
    rate: `${prefix}rate`,
    quota: `${prefix}quota`,
    spend: `${prefix}spend`,
    prepaid: `${prefix}prepaid`,
  };
}

function scopeOf(
  scope: Omit<Scope, 'spans' | 'policies'>,
  customer: Customer,
  termsOf: () => PriceTerms,
): Scope {
  const { names } = scope;
  const { rate, maxInFlight, quota, spendCapMinor, prepaid } = scope.held;
  const policies = {
    concurrency: policyText(names.concurrency, maxInFlight ?? 0, null, 'concurrent-requests'),
    rate: policyText(names.rate, rate?.count ?? 0, rate?.perMs ?? null),
  };
  const spans: BoundedSpan[] = [];
  function add(span: CountedSpan, bound: Bound, windowAt: BoundedSpan['windowAt']): void {
    const same = spans.find((other) => other.span === span);
    if (same) same.bounds.push(bound);
    else spans.push({ span, windowAt, bounds: [bound] });
  }
  if (quota) {
    const bound = unitBound(quota.units, {
      refused: 'quota_exceeded',
      name: names.quota,
      limit: 'quota',
    });
    add(quota.per, bound, windowsOf(quota.per, customer));
  }
  if (spendCapMinor !== null) {
    add('period', spendBound(spendCapMinor, names.spend, termsOf), windowsOf('period', customer));
  }
  if (prepaid) {
    const window = { startMs: prepaid.sinceMs, endMs: endOfTimeMs };
    const bound = unitBound(prepaid.units, {
      refused: 'prepaid_exhausted',
      name: names.prepaid,
      limit: 'prepaid_units',
    });
    add('prepaid', bound, () => window);
  }
  return { ...scope, policies, spans };
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

/** Remembers what was said last: it changes with the window, or not at all. */
function policiesOf(name: string): Bound['policyOf'] {
  let last = { quota: -1, windowMs: null as number | null, text: '' };
  return (quota, windowMs) => {
    if (last.quota !== quota || last.windowMs !== windowMs) {
      last = { quota, windowMs, text: policyText(name, quota, windowMs) };
    }
    return last.text;
  };
}

function unitBound(allowed: number, names: Pick<Bound, 'refused' | 'name' | 'limit'>): Bound {
  return {
    ...names,
    policyOf: policiesOf(names.name),
    allowed,
    unitsMax: () => allowed,
    measure: (units) => units,
    unitsFor: (amount) => amount,
  };
}

/** Prices are worked out only when the count leaves the range that is known to be affordable, or the price is another. */
function spendBound(allowed: number, name: string, termsOf: () => PriceTerms): Bound {
  let known: { terms: PriceTerms; first: number; last: number } | undefined;
  return {
    ...{ refused: 'spend_cap_reached', name, limit: 'spend_cap', allowed },
    policyOf: policiesOf(name),
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
