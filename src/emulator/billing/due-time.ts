/** When a document falls due by itself: a period's end, a cancellation, a draft, a retry, a due date, an expiry. */

import type { ObjectKind, Stored } from '../object-kinds.js';
import type { DueTime } from '../object-store.js';
import { type CheckoutSession, settlesAt } from './checkout-session.js';
import type { Invoice } from './invoice-document.js';
import { incompleteSec, isLive, periodEndOf, type Subscription } from './subscription.js';

/** The kinds that fall due, and when; read off the document alone, so that it can be stored with it. */
const dueTimes: { [Kind in ObjectKind]?: (object: Stored<Kind>) => number | undefined } = {
  checkout_session: sessionDueSec,
  invoice: invoiceDueSec,
  subscription: subscriptionDueSec,
};

/** Seconds; undefined for a document that waits for nothing. */
export const dueTime: DueTime = (kind, object) => dueTimes[kind]?.(object);

function subscriptionDueSec(subscription: Subscription): number | undefined {
  if (!isLive(subscription)) return undefined;
  if (subscription.status === 'incomplete') return subscription.created + incompleteSec;
  if (subscription.status === 'paused') return subscription.cancel_at ?? undefined;
  return Math.min(subscription.cancel_at ?? Number.POSITIVE_INFINITY, periodEndOf(subscription));
}

/** A sent invoice that is overdue no longer advances: that has been told. */
function invoiceDueSec(invoice: Invoice): number | undefined {
  if (!invoice.auto_advance) return undefined;
  if (invoice.status === 'draft') return invoice.automatically_finalizes_at ?? undefined;
  if (invoice.status !== 'open') return undefined;
  const charged = invoice.collection_method === 'charge_automatically';
  return (charged ? invoice.next_payment_attempt : invoice.due_date) ?? undefined;
}

function sessionDueSec(session: CheckoutSession): number | undefined {
  if (session.status === 'open') return session.expires_at;
  return settlesAt(session) ?? undefined;
}
