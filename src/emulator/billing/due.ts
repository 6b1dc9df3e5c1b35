/** What falls due by itself, and when: period ends, cancellations, drafts, retries, due dates, expiries. */

import type { Account } from '../account.js';
import type { ObjectKind, Stored } from '../object-kinds.js';
import { endSubscription } from './cancellation.js';
import { expireSession, settlementDueSec, settleSession } from './checkout-completion.js';
import { collect, markOverdue } from './collection.js';
import { turnPeriod } from './cycle.js';
import { finalizeAndCollect, voidInvoice } from './finalization.js';
import { subscriptionOf } from './invoice.js';
import type { Invoice } from './invoice-document.js';
import { isLive, periodEndOf, type Subscription, updateSubscription } from './subscription.js';
import { incompleteSec } from './subscription-start.js';

/** One thing that happens at a time. */
export interface Due {
  atSec: number;
  kind: 'subscription' | 'invoice' | 'checkout_session';
  id: string;
}

/** What of one document falls due next, if anything. */
export function dueOf(account: Account, kind: Due['kind'], id: string): Due | undefined {
  const atSec = dueSecOf(account, kind, id);
  return atSec === undefined ? undefined : { atSec, kind, id };
}

/** Everything of one timeline that waits for its time: of a test clock, or (`null`) of the account. */
export function allDue(account: Account, testClock: string | null): Due[] {
  const { objects } = account;
  const timeline = { test_clock: testClock ?? undefined };
  const mine = (document: { test_clock: string | null }) => document.test_clock === testClock;
  const subscriptions = objects.all('subscription', {
    fields: timeline,
    where: (each) => mine(each) && isLive(each),
  });
  const drafts = objects.all('invoice', { fields: { ...timeline, status: 'draft' }, where: mine });
  const open = objects.all('invoice', { fields: { ...timeline, status: 'open' }, where: mine });
  const sessions = testClock === null ? waitingSessions(account) : [];
  const named: [Due['kind'], { id: string }[]][] = [
    ['checkout_session', sessions],
    ['invoice', [...drafts, ...open]],
    ['subscription', subscriptions],
  ];
  return named.flatMap(([kind, documents]) => documents.flatMap(({ id }) => dueOf(account, kind, id) ?? []));
}

/** Does what is due of a document. Call it once its time has come; whoever came first has done it already. */
export function perform(account: Account, due: Due): void {
  if (due.kind === 'subscription') performSubscription(account, load(account, due.kind, due.id), due.atSec);
  else if (due.kind === 'invoice') performInvoice(account, load(account, due.kind, due.id));
  else {
    const session = load(account, due.kind, due.id);
    if (session.status === 'open') expireSession(account, session);
    else settleSession(account, session);
  }
}

function performSubscription(account: Account, subscription: Subscription, atSec: number): void {
  if (subscription.status === 'incomplete') expireIncomplete(account, subscription);
  else if (subscription.cancel_at !== null && subscription.cancel_at <= atSec) {
    endSubscription(account, subscription, { billUsage: true, reason: 'cancellation_requested' });
  } else turnPeriod(account, subscription, atSec);
}

function performInvoice(account: Account, invoice: Invoice): void {
  if (invoice.status === 'draft') finalizeAndCollect(account, invoice);
  else if (invoice.collection_method === 'send_invoice') markOverdue(account, invoice);
  else collect(account, invoice);
}

function expireIncomplete(account: Account, subscription: Subscription): void {
  const invoice = account.objects.get('invoice', subscription.latest_invoice ?? '');
  if (invoice?.status === 'open') voidInvoice(account, invoice);
  updateSubscription(account, subscription, { status: 'incomplete_expired' });
}

function waitingSessions(account: Account): Stored<'checkout_session'>[] {
  const open = account.objects.all('checkout_session', { fields: { status: 'open' } });
  const unpaid = { status: 'complete', payment_status: 'unpaid' };
  return [...open, ...account.objects.all('checkout_session', { fields: unpaid })];
}

function dueSecOf(account: Account, kind: Due['kind'], id: string): number | undefined {
  if (kind === 'subscription') return subscriptionDueSec(account.objects.get(kind, id));
  if (kind === 'invoice') {
    const invoice = account.objects.get(kind, id);
    return invoice && invoiceDueSec(account, invoice);
  }
  const session = account.objects.get(kind, id);
  if (session?.status === 'open') return session.expires_at;
  return session && settlementDueSec(account, session);
}

function subscriptionDueSec(subscription: Subscription | undefined): number | undefined {
  if (!subscription || !isLive(subscription)) return undefined;
  if (subscription.status === 'incomplete') return subscription.created + incompleteSec;
  const cancelAt = subscription.cancel_at ?? Number.POSITIVE_INFINITY;
  if (subscription.status === 'paused') return Number.isFinite(cancelAt) ? cancelAt : undefined;
  return Math.min(cancelAt, periodEndOf(subscription));
}

function invoiceDueSec(account: Account, invoice: Invoice): number | undefined {
  if (invoice.status === 'draft') return invoice.automatically_finalizes_at ?? undefined;
  if (invoice.status !== 'open') return undefined;
  if (invoice.collection_method === 'charge_automatically') return invoice.next_payment_attempt ?? undefined;
  const waits = subscriptionOf(account, invoice)?.status === 'active';
  return waits ? (invoice.due_date ?? undefined) : undefined;
}

function load<Kind extends ObjectKind>(account: Account, kind: Kind, id: string): Stored<Kind> {
  const document = account.objects.get(kind, id);
  if (!document) throw new TypeError(`what is due names a missing ${kind}: ${id}`);
  return document;
}
