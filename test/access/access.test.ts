import { describe, expect, it } from 'vitest';
import { accessOf } from '../../src/access/access.js';
import type { Customer } from '../../src/domain/customer.js';
import type { Subscription } from '../../src/domain/subscription.js';
import { createCustomer, createSubscription } from '../support/rows.js';

const nowMs = Date.UTC(2026, 5, 15);
const day = 86_400_000;
const graceMs = 14 * day;

function access(subscriptions: Partial<Subscription>[], customer: Partial<Customer> = {}) {
  const rows = subscriptions.map((row, index) => createSubscription({ id: `sub_${index}`, ...row }));
  return accessOf(createCustomer({ ...customer, subscriptions: rows }), nowMs, graceMs);
}

describe('access', () => {
  it.each(['trialing', 'active'])('is on while %s', (status) => {
    expect(access([{ status }])).toMatchObject({ allowed: true, warning: null });
  });

  it.each(['canceled', 'incomplete', 'incomplete_expired', 'paused', 'a_word_of_tomorrow'])(
    'is off when %s',
    (status) => {
      expect(access([{ status }])).toEqual({ allowed: false, code: 'subscription_inactive' });
    },
  );

  it('asks for payment when unpaid', () => {
    expect(access([{ status: 'unpaid' }])).toEqual({ allowed: false, code: 'payment_required' });
  });

  it.each([
    [0, true],
    [graceMs - 1, true],
    [graceMs, false],
  ])('is kept through a grace of 14 days when past due: %d ms in, %s', (forMs, allowed) => {
    const decision = access([{ status: 'past_due', pastDueSinceMs: nowMs - forMs }]);
    expect(decision).toMatchObject(
      allowed ? { allowed, warning: 'past_due' } : { allowed, code: 'payment_required' },
    );
  });

  it('prefers a paid subscription to one in grace, and any live one to an ended one', () => {
    const decision = access([
      { status: 'past_due', pastDueSinceMs: nowMs, createdAtMs: 3 },
      { status: 'active', createdAtMs: 1 },
      { status: 'canceled', endedAtMs: 2, createdAtMs: 4 },
    ]);
    expect(decision).toMatchObject({ allowed: true, warning: null, subscription: { id: 'sub_1' } });
  });

  it('stays on until the end of a cancelled period', () => {
    expect(access([{ status: 'active', cancelAtMs: nowMs + 1 }]).allowed).toBe(true);
    expect(access([{ status: 'active', endedAtMs: nowMs }]).allowed).toBe(false);
  });

  it('ends with the cancellation, also when Stripe has not told yet', () => {
    const period = { startMs: nowMs - day, endMs: nowMs };
    const running = { startMs: nowMs - day, endMs: nowMs + 1 };
    expect(access([{ status: 'active', cancelAtMs: nowMs }]).allowed).toBe(false);
    expect(access([{ status: 'active', cancelAtPeriodEnd: true, period }]).allowed).toBe(false);
    expect(access([{ status: 'active', cancelAtPeriodEnd: true, period: running }]).allowed).toBe(true);
    expect(access([{ status: 'active', period }]).allowed).toBe(true);
  });

  it('is off while a subscription is being cancelled here, and on by another one', () => {
    expect(access([{ status: 'active', closingAtMs: nowMs - 1 }])).toEqual({
      allowed: false,
      code: 'subscription_inactive',
    });
    expect(access([{ closingAtMs: nowMs - 1 }, { status: 'active' }]).allowed).toBe(true);
  });

  it('is off without a subscription, for a deleted customer, and by the operator above all', () => {
    expect(access([])).toEqual({ allowed: false, code: 'subscription_inactive' });
    expect(access([{ status: 'active' }], { deletedAtMs: 1 })).toEqual({
      allowed: false,
      code: 'subscription_inactive',
    });
    expect(access([{ status: 'active' }], { suspendedAtMs: 1 })).toEqual({
      allowed: false,
      code: 'customer_suspended',
    });
  });
});
