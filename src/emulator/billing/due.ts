/** What is done about a document whose time has come. */

import type { Account } from '../account.js';
import type { ObjectKind, Stored } from '../object-kinds.js';
import type { DueObject } from '../object-store.js';
import { endSubscription } from './cancellation.js';
import { expireSession, settleSession } from './checkout-completion.js';
import { collect, markOverdue } from './collection.js';
import { turnPeriod } from './cycle.js';
import { dueTime } from './due-time.js';
import { finalizeAndCollect, voidInvoice } from './finalization.js';
import type { Invoice } from './invoice-document.js';
import { type Subscription, updateSubscription } from './subscription.js';

/** Does what is due of a document, once its time has come. */
export function perform(account: Account, due: DueObject): void {
  if (due.kind === 'subscription') performSubscription(account, load(account, due.kind, due.id), due.atSec);
  if (due.kind === 'invoice') performInvoice(account, load(account, due.kind, due.id));
  if (due.kind === 'checkout_session') {
    const session = load(account, due.kind, due.id);
    if (session.status === 'open') expireSession(account, session);
    else settleSession(account, session);
  }
}

/** Stores the document's time anew where it is not the one noted. True when it was not. */
export function corrected(account: Account, due: DueObject): boolean {
  const document = load(account, due.kind, due.id);
  if (dueTime(due.kind, document) === due.atSec) return false;
  account.objects.put(due.kind, document);
  return true;
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

function load<Kind extends ObjectKind>(account: Account, kind: Kind, id: string): Stored<Kind> {
  const document = account.objects.get(kind, id);
  if (!document) throw new TypeError(`what is due names a missing ${kind}: ${id}`);
  return document;
}
