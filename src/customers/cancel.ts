/** Ends a customer's subscriptions so that nothing that was used stays unbilled. */

import type { Actor } from '../domain/audit.js';
import type { CustomerBilling } from '../domain/billing.js';
import type { Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import type { CustomerStore, DeliveryStore } from '../domain/store.js';
import { isLive, periodAt, type Subscription } from '../domain/subscription.js';
import type { Clock } from '../lib/host.js';
import { syncCustomer } from './sync.js';

/** Within this time every process has seen that access is off, and calls that were let in before are in the ledger. */
const lastCallsMs = 1_000;

/** How often it is looked whether Stripe has everything. */
const lookMs = 250;

/** What cancelling needs. */
export interface CancelDeps {
  store: CustomerStore & DeliveryStore;
  billing: CustomerBilling;
  clock: Clock;
  /** Sends what is due. Says why Stripe takes nothing before somebody has mended the key, `null` otherwise. */
  send(): Promise<string | null>;
}

/** How a customer is cancelled. */
export interface CancelOrder {
  customerId: string;
  /** How long to wait until Stripe has accepted all usage. */
  waitMs: number;
  /** Cancels although Stripe does not have all usage. */
  force: boolean;
  actor: Actor;
}

/** What came of it. */
export interface Cancelled {
  customer: Customer;
  /** The subscriptions that were ended by this; none when there was nothing left to end. */
  subscriptions: string[];
  /** Units of the last period that Stripe did not have when they ended. */
  pendingUnits: number;
}

/**
 * Access off, usage out, then the end with a final invoice: in this order, because what Stripe does not have when it closes
 * that invoice is never billed (stripe-facts 8). Each step leaves its mark where it counts, on the subscription here or at
 * Stripe, so one that was interrupted goes on when it is run again. Throws `unavailable` when usage does not get through in
 * time, and `unauthorized` as soon as Stripe refuses the key; the customer stays without access then.
 */
export async function cancelCustomer(deps: CancelDeps, order: CancelOrder): Promise<Cancelled> {
  const { store, billing, clock } = deps;
  const { customerId } = order;
  const open = (await syncCustomer(deps, customerId)).subscriptions.filter(isOpen);
  const ids = open.map(({ id }) => id);
  if (open.length > 0) {
    await store.recordClosing(customerId, true, { actor: order.actor, atMs: clock.nowMs() });
    await clock.sleep(lastCallsMs);
  }
  const startMs = Math.min(...open.map((each) => periodAt(each, clock.nowMs()).startMs));
  const left = open.length === 0 ? nothing : await sendAll(deps, order, startMs);
  if (isLeft(left) && !order.force) throw leftError(left, customerId);
  for (const id of ids)
    await billing.cancelSubscription(id, { invoice: true, comment: 'Cancelled with meterctl.' });
  return { customer: await syncCustomer(deps, customerId), subscriptions: ids, pendingUnits: left.units };
}

/** Also one whose first payment is missing: it may come to life as long as nobody has ended it (stripe-facts 8). */
function isOpen(subscription: Subscription): boolean {
  return isLive(subscription) || subscription.status === 'incomplete';
}

/** What Stripe does not have. */
interface Left {
  /** Also those that it refused. */
  units: number;
  /** Deliveries of which it is open what becomes of them: one may take back the units of another, and is needed all the same. */
  unsettled: number;
  /** Why Stripe takes nothing before somebody has mended the key; `null` otherwise. */
  stopped: string | null;
}

const nothing: Left = { units: 0, unsettled: 0, stopped: null };

function isLeft({ units, unsettled }: Left): boolean {
  return units !== 0 || unsettled > 0;
}

function leftError(left: Left, customerId: string): MeterctlError {
  const { stopped } = left;
  const what = `${leftText(left, customerId)}, so the subscription was not cancelled. The customer has no access any more.`;
  return new MeterctlError(
    stopped === null ? 'unavailable' : 'unauthorized',
    stopped === null ? what : `${stopped} ${what}`,
    {
      hint:
        'Run it again once Stripe takes them (see meterctl outbox list), cancel all the same with --force, or give ' +
        `access back with: meterctl customers resume ${customerId}`,
    },
  );
}

function leftText({ units, unsettled }: Left, customerId: string): string {
  if (units !== 0)
    return `Stripe does not have ${units === 1 ? '1 unit' : `${units} units`} of ${customerId} yet`;
  const deliveries = unsettled === 1 ? '1 delivery' : `${unsettled} deliveries`;
  return `It is not certain yet that Stripe has ${deliveries} of ${customerId}`;
}

/** Sends the customer's usage until Stripe has all of it, refuses the key, or the time is up. Returns what is left. */
async function sendAll(
  { store, clock, send }: CancelDeps,
  { customerId, waitMs }: CancelOrder,
  fromMs: number,
): Promise<Left> {
  await store.hastenDeliveries(clock.nowMs());
  for (let waitedMs = 0; ; waitedMs += lookMs) {
    await store.freezeDeliveries(clock.nowMs(), { customerId });
    const stopped = await send();
    const left = {
      units: await store.sumUndelivered(customerId, fromMs, Number.MAX_SAFE_INTEGER),
      unsettled: await store.countUnsettled(customerId, fromMs),
      stopped,
    };
    if (!isLeft(left) || stopped !== null || waitedMs >= waitMs) return left;
    await clock.sleep(lookMs);
  }
}

/** Lets the subscriptions end with their periods. Nothing changes until then, and the last invoice is made as always. */
export async function cancelAtPeriodEnd(
  deps: Pick<CancelDeps, 'store' | 'billing'>,
  customerId: string,
): Promise<Cancelled> {
  const live = (await syncCustomer(deps, customerId)).subscriptions.filter(isLive);
  const ids = live
    .filter(({ cancelAtMs, cancelAtPeriodEnd }) => cancelAtMs === null && !cancelAtPeriodEnd)
    .map(({ id }) => id);
  for (const id of ids) await deps.billing.cancelAtPeriodEnd(id);
  return { customer: await syncCustomer(deps, customerId), subscriptions: ids, pendingUnits: 0 };
}
