import { describe, expect, it } from 'vitest';
import type { Customer } from '../../src/domain/customer.js';
import type { Subscription } from '../../src/domain/subscription.js';
import { isBillable } from '../../src/metering/billable.js';
import { subscriptionOf } from '../support/records.js';

const hour = 3_600_000;
const startMs = Date.UTC(2026, 10, 1);
const endedMs = Date.UTC(2026, 10, 9, 12);

const customerWith = (...subscriptions: Subscription[]): Customer => ({
  ...{ no: 1, id: 'cus_1', email: null, name: null, createdAtMs: 0, suspendedAtMs: null, deletedAtMs: null },
  ...{ readings: 1, subscriptions },
});

const former = subscriptionOf('cus_1', { id: 'sub_former', status: 'canceled', endedAtMs: endedMs });
const present = subscriptionOf('cus_1', {
  id: 'sub_present',
  createdAtMs: endedMs + 5 * hour,
  anchorMs: endedMs + 5 * hour,
  period: { startMs: endedMs + 5 * hour, endMs: Date.UTC(2026, 11, 9, 17) },
});

describe('a correction', () => {
  it('is billable while the period of its time goes on, and for an hour after it', () => {
    const customer = customerWith(subscriptionOf('cus_1'));
    const endMs = Date.UTC(2026, 11, 1);
    expect(isBillable(customer, startMs, endMs + hour - 1)).toBe(true);
    expect(isBillable(customer, startMs, endMs + hour)).toBe(false);
  });

  it('of a former subscription is billable for an hour after its end, whatever the present one counts', () => {
    const customer = customerWith(former, present);
    expect(isBillable(customer, endedMs - hour, endedMs + hour - 1)).toBe(true);
    expect(isBillable(customer, endedMs - hour, endedMs + 6 * hour)).toBe(false);
    expect(isBillable(customer, endedMs + 6 * hour, endedMs + 7 * hour)).toBe(true);
  });

  it('of a time at which no subscription ran is on no invoice, unless none has ever been', () => {
    expect(isBillable(customerWith(former, present), endedMs + hour, endedMs + 6 * hour)).toBe(false);
    expect(isBillable(customerWith(), endedMs + hour, endedMs + 6 * hour)).toBe(true);
  });
});
