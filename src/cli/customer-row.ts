/** A customer as the command line shows it. */

import { accessOf } from '../access/access.js';
import type { Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import { currentSubscription, endOf, isLive, periodAt, type Subscription } from '../domain/subscription.js';
import { rfc3339 } from '../lib/rfc3339.js';
import { paintStatus } from '../terminal/paint.js';
import { pairsText } from '../terminal/table.js';
import { timeText } from '../terminal/time.js';
import type { Context } from './context.js';

/** When it is, and how long a past-due customer keeps access: what a status depends on. */
export interface StatusRule {
  nowMs: number;
  pastDueGraceMs: number;
}

/** The customer as scripts read it. */
export function customerJson(customer: Customer, rule: StatusRule) {
  const subscription = currentSubscription(customer.subscriptions);
  const period = subscription && periodAt(subscription, rule.nowMs);
  return {
    id: customer.id,
    email: customer.email,
    name: customer.name,
    status: customerStatus(customer, rule),
    subscription:
      subscription && period
        ? {
            id: subscription.id,
            status: subscription.status,
            period: { start: rfc3339(period.startMs), end: rfc3339(period.endMs) },
            ends_at: endsAt(subscription),
          }
        : null,
    suspended_at: customer.suspendedAtMs === null ? null : rfc3339(customer.suspendedAtMs),
    created_at: rfc3339(customer.createdAtMs),
  };
}

/** One word: `active` and `past_due` may call, all others may not; `closing` is being cancelled from here. */
export function customerStatus(customer: Customer, rule: StatusRule): string {
  if (customer.deletedAtMs !== null) return 'deleted';
  const access = accessOf(customer, rule.nowMs, rule.pastDueGraceMs);
  if (access.allowed) return access.warning ?? 'active';
  const closing = customer.subscriptions.some((each) => each.closingAtMs !== null && isLive(each));
  if (closing && access.code === 'subscription_inactive') return 'closing';
  return { customer_suspended: 'suspended', payment_required: 'unpaid', subscription_inactive: 'inactive' }[
    access.code
  ];
}

/** When the subscription ends or has ended; `null` when it goes on. */
function endsAt(subscription: Subscription): string | null {
  const ms = endOf(subscription);
  return Number.isFinite(ms) ? rfc3339(ms) : null;
}

/** What statuses of customers depend on in this run. */
export async function statusRule(context: Context): Promise<StatusRule> {
  const { pastDueGraceMs } = context.readySettings().access;
  return { nowMs: (await context.host()).clock.nowMs(), pastDueGraceMs };
}

/** The customer as known here. Throws `not_found`. */
export async function findCustomer(context: Context, id: string): Promise<Customer> {
  const customer = await (await context.store()).findCustomer(id);
  if (customer) return customer;
  throw new MeterctlError('not_found', `There is no customer ${id} here.`, {
    hint: `Stripe may know it: meterctl customers import ${id}`,
  });
}

/** Shows one customer; `more` is for scripts alone. */
export function showCustomer(
  context: Context,
  customer: Customer,
  rule: StatusRule,
  more: object = {},
): void {
  const { stdout } = context.terminal;
  const row = customerJson(customer, rule);
  context.show({
    json: () => ({ ...row, ...more }),
    text: () =>
      pairsText(stdout, [
        ['id', row.id],
        ['e-mail', row.email ?? undefined],
        ['name', row.name ?? undefined],
        ['status', { text: row.status, paint: (text) => paintStatus(context.paint, text) }],
        ['subscription', row.subscription ? `${row.subscription.id} (${row.subscription.status})` : 'none'],
        [
          'period',
          row.subscription ? `${row.subscription.period.start} to ${row.subscription.period.end}` : undefined,
        ],
        ['ends', row.subscription?.ends_at ?? undefined],
        ['suspended', row.suspended_at ?? undefined],
        ['created', timeText(stdout, customer.createdAtMs, rule.nowMs)],
      ]),
  });
}
