/** Time moving on: everything that has fallen due is done, in order of time. */

import type { Account } from '../account.js';
import { createAgenda } from './agenda.js';
import { allDue, type Due, dueOf, perform } from './due.js';
import { subscriptionOf } from './invoice.js';

/**
 * Does everything that is due by now. Safe in several processes at once: each looks again inside its transaction.
 * Returns how many things were done.
 */
export function runDue(account: Account): number {
  const now = account.clock.nowSec();
  if (!allDue(account, null).some((due) => due.atSec <= now)) return 0;
  return account.write(() => performUntil(account, null, now, () => undefined));
}

/**
 * Moves the account's time to `toSec` through everything that falls due on the way, each at its own time, so that documents and
 * events carry the times they would have had. One transaction. Returns how many things were done. Throws on a time that has passed.
 */
export function advanceTo(account: Account, toSec: number): number {
  return account.write(() => {
    const done = performUntil(account, null, toSec, (atSec) => {
      if (atSec > account.clock.nowSec()) account.clock.advanceTo(atSec);
    });
    account.clock.advanceTo(toSec);
    return done;
  });
}

/** Does what falls due until a time on one timeline, whose clock `setTime` sets to the time of each thing. */
export function performUntil(
  account: Account,
  testClock: string | null,
  untilSec: number,
  setTime: (atSec: number) => void,
): number {
  const agenda = createAgenda<Due>();
  const note = (due: Due | undefined) => {
    if (due && due.atSec <= untilSec) agenda.add(due);
  };
  for (const due of allDue(account, testClock)) note(due);
  let done = 0;
  for (let due = agenda.next(); due; due = agenda.next()) {
    // A step notes what it touched anew, so that an older note of the same document may be void.
    if (dueOf(account, due.kind, due.id)?.atSec !== due.atSec) continue;
    setTime(due.atSec);
    const touched = related(account, due);
    perform(account, due);
    done += 1;
    for (const [kind, id] of [...touched, ...related(account, due)]) note(dueOf(account, kind, id));
  }
  return done;
}

/** The documents that a step on one of them may have changed. */
function related(account: Account, due: Due): [Due['kind'], string][] {
  const { objects } = account;
  if (due.kind === 'checkout_session') {
    const subscription = objects.get('checkout_session', due.id)?.subscription;
    return subscription ? [['checkout_session', due.id], ...familyOf(account, subscription)] : [];
  }
  if (due.kind === 'subscription') return familyOf(account, due.id);
  const invoice = objects.get('invoice', due.id);
  const subscription = invoice && subscriptionOf(account, invoice);
  return [['invoice', due.id], ...(subscription ? familyOf(account, subscription.id) : [])];
}

/** A subscription and its unsettled invoices. */
function familyOf(account: Account, subscriptionId: string): [Due['kind'], string][] {
  const subscription = account.objects.get('subscription', subscriptionId);
  if (!subscription) return [];
  const { customer } = subscription;
  const unsettled = ['draft', 'open'].flatMap((status) =>
    account.objects.all('invoice', { fields: { customer, status } }),
  );
  return [
    ['subscription', subscriptionId],
    ...unsettled.map((invoice): [Due['kind'], string] => ['invoice', invoice.id]),
  ];
}
