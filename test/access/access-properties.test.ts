import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessOf } from '../../src/access/access.js';
import type { Customer } from '../../src/domain/customer.js';
import { type Subscription, statuses } from '../../src/domain/subscription.js';
import { createCustomer, createSubscription } from '../support/rows.js';

const day = 86_400_000;
const nowMs = Date.UTC(2026, 5, 15);

const around = fc.integer({ min: -40 * day, max: 40 * day }).map((distance) => nowMs + distance);
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });

const subscription: fc.Arbitrary<Partial<Subscription>> = fc.record({
  status: fc.oneof(fc.constantFrom(...statuses), fc.string()),
  cancelAtMs: orNull(around),
  cancelAtPeriodEnd: fc.boolean(),
  endedAtMs: orNull(around),
  pastDueSinceMs: orNull(around),
  closingAtMs: orNull(around),
  createdAtMs: around,
  readAtMs: around,
});

const graces = fc.integer({ min: 0, max: 30 * day });

/** Subscriptions of one customer. */
const several = fc
  .array(subscription, { maxLength: 5 })
  .map((rows) => rows.map((row, index) => createSubscription({ id: `sub_${index}`, ...row })));

function customerWith(subscriptions: Subscription[], over: Partial<Customer> = {}): Customer {
  return createCustomer({ subscriptions, ...over });
}

describe('access, whatever Stripe says', () => {
  it('is given by a subscription that Stripe can bill now, and by nothing else', () => {
    fc.assert(
      fc.property(several, graces, (subscriptions, graceMs) => {
        const access = accessOf(customerWith(subscriptions), nowMs, graceMs);
        const billable = subscriptions.filter(
          (each) =>
            ['active', 'trialing', 'past_due'].includes(each.status) &&
            each.closingAtMs === null &&
            (each.endedAtMs ?? Infinity) > nowMs &&
            (each.cancelAtMs ?? Infinity) > nowMs,
        );
        if (access.allowed) expect(billable).toContain(access.subscription);
        if (
          billable.some(({ status }) => status !== 'past_due') &&
          !billable.some(({ cancelAtPeriodEnd }) => cancelAtPeriodEnd)
        )
          expect(access.allowed).toBe(true);
      }),
    );
  });

  it('is never given to the suspended and the deleted', () => {
    fc.assert(
      fc.property(several, graces, around, (subscriptions, graceMs, atMs) => {
        const suspended = customerWith(subscriptions, { suspendedAtMs: atMs });
        expect(accessOf(suspended, nowMs, graceMs)).toEqual({ allowed: false, code: 'customer_suspended' });
        const deleted = customerWith(subscriptions, { deletedAtMs: atMs });
        expect(accessOf(deleted, nowMs, graceMs).allowed).toBe(false);
      }),
    );
  });

  it('does not depend on the order of subscriptions, and another one never takes it away', () => {
    fc.assert(
      fc.property(several, subscription, graces, (subscriptions, more, graceMs) => {
        const access = accessOf(customerWith(subscriptions), nowMs, graceMs);
        expect(accessOf(customerWith([...subscriptions].reverse()), nowMs, graceMs)).toEqual(access);
        const added = createSubscription({ ...more, id: 'sub_more' });
        const after = accessOf(customerWith([...subscriptions, added]), nowMs, graceMs);
        if (access.allowed) expect(after.allowed).toBe(true);
      }),
    );
  });

  it('is not given by words that are unknown here', () => {
    const unknown = fc.string().filter((word) => !statuses.has(word));
    fc.assert(
      fc.property(subscription, unknown, graces, (row, status, graceMs) => {
        const customer = customerWith([createSubscription({ ...row, status })]);
        expect(accessOf(customer, nowMs, graceMs)).toEqual({ allowed: false, code: 'subscription_inactive' });
      }),
    );
  });

  it('is lost once when nothing changes but the time, and warned of before when a payment is late', () => {
    fc.assert(
      fc.property(several, graces, fc.array(around, { maxLength: 8 }), (subscriptions, graceMs, times) => {
        const customer = customerWith(subscriptions);
        const seen = times.sort((a, b) => a - b).map((atMs) => accessOf(customer, atMs, graceMs));
        const lost = seen.findIndex(({ allowed }) => !allowed);
        if (lost >= 0) expect(seen.slice(lost).some(({ allowed }) => allowed)).toBe(false);
        for (const access of seen) {
          if (!access.allowed) continue;
          expect(access.warning).toBe(access.subscription.status === 'past_due' ? 'past_due' : null);
        }
      }),
    );
  });
});
