/**
 * What must be true of the books at every moment: answered <= ledger <= asked for, and ledger = accepted by Stripe + refused +
 * uncertain + still to be sent, for each customer and billing period, each event at a time inside the period of its use.
 */

import type { Books, DeliveryRow, LedgerRow, StripeEvent } from './accounts.js';
import type { Order } from './clients.js';
import { periodStartMs } from './clients.js';
import type { Subscriber } from './template.js';

/** What the checker knows beside the books. */
export interface Expectations {
  orders: ReadonlyMap<string, Order>;
  subscribers: readonly Subscriber[];
  /** Whether everything had time to arrive: then nothing may be left to be sent. */
  drained: boolean;
}

/** Every broken promise, in words. None: all is well. */
export function check(books: Books, expected: Expectations): string[] {
  const findings: string[] = [];
  const say = (finding: string) => void findings.push(finding);
  checkLedger(books, expected.orders, say);
  checkDeliveries(books, say);
  checkEvents(books, expected, say);
  checkPeriods(books, expected, say);
  if (expected.drained) checkDrained(books, say);
  return findings;
}

type Say = (finding: string) => void;

/** answered <= ledger <= asked for. */
function checkLedger({ ledger }: Books, orders: Expectations['orders'], say: Say): void {
  const rows = groupBy(ledger, nameOf);
  for (const [name, [row, ...more]] of rows) {
    const order = orders.get(name);
    if (more.length > 0) say(`${name} stands in the ledger ${more.length + 1} times`);
    const wanted = order?.asked.some((asked) => asked.units === row?.units && asked.atMs === row.atMs);
    if (!wanted || order?.customerId !== row?.customerId)
      say(
        `the ledger has ${name} (${row?.units} units of ${row?.customerId}), which nobody asked for like that`,
      );
  }
  for (const { name, answers } of orders.values()) {
    const row = rows.get(name)?.[0];
    for (const answer of answers) {
      if (row?.id !== answer.id || row.units !== answer.units)
        say(`${name} was answered, but is not in the ledger`);
    }
  }
}

/** What the order is called that a row answers. */
function nameOf({ key, route, voids }: LedgerRow): string {
  return voids === null ? (key ?? route) : `void ${voids}`;
}

/** Every delivery is the sum of its rows, all of one customer, all inside its window. */
function checkDeliveries({ ledger, deliveries }: Books, say: Say): void {
  const rows = groupBy(ledger, (row) => row.deliveryId);
  for (const delivery of deliveries) {
    const covered = rows.get(delivery.id) ?? [];
    const units = sum(covered);
    if (units !== delivery.units) say(`${delivery.id} is of ${delivery.units} units, its usage of ${units}`);
    for (const { customerId, atMs, route } of covered) {
      if (customerId !== delivery.customerId || atMs < delivery.startMs || atMs >= delivery.endMs)
        say(`${delivery.id} covers ${route}, which does not belong to it`);
    }
  }
}

/** Stripe has what the deliveries say, as they say it, and never twice. */
function checkEvents(books: Books, { subscribers }: Expectations, say: Say): void {
  const deliveries = new Map(books.deliveries.map((delivery) => [delivery.id, delivery]));
  const rows = groupBy(books.ledger, (row) => row.deliveryId);
  const events = groupBy(books.events, (event) => event.deliveryId);
  for (const [id, copies] of events) {
    const delivery = deliveries.get(id);
    if (!delivery) say(`Stripe has ${id}, which nobody owes`);
    for (const event of copies)
      if (delivery) checkEvent(event, delivery, rows.get(id) ?? [], subscribers, say);
  }
  for (const delivery of books.deliveries) {
    const copies = events.get(delivery.id) ?? [];
    const { id, state, corrects, cancels } = delivery;
    if (state === 'delivered' && cancels === 1 && events.get(corrects ?? '')?.some(isAccepted))
      say(`${id} has cancelled ${corrects}, which Stripe counts`);
    if (delivery.units !== 0 && !isAllowed(delivery, copies))
      say(
        `${id} is ${state}, and Stripe has: ${copies.map((event) => `${event.identifier} ${event.state}`).join(', ') || 'nothing'}`,
      );
  }
}

/** Whether Stripe may have these events of a delivery in its state. */
function isAllowed({ state, identifier, cancels }: DeliveryRow, copies: readonly StripeEvent[]): boolean {
  const accepted = copies.filter(isAccepted).length;
  if (cancels === 1) return copies.length === 0;
  switch (state) {
    case 'open':
      return copies.length === 0;
    case 'delivered':
      // Stripe may have rejected it after accepting it, without having told so yet.
      return accepted <= 1 && copies.filter((event) => event.identifier === identifier).length === 1;
    case 'refused':
      return accepted === 0;
    default:
      return accepted <= 1;
  }
}

function isAccepted({ state }: StripeEvent): boolean {
  return state === 'accepted';
}

function checkEvent(
  event: StripeEvent,
  delivery: DeliveryRow,
  rows: LedgerRow[],
  subscribers: readonly Subscriber[],
  say: Say,
): void {
  const { identifier } = event;
  // A rejected identifier is used up; of what it stood for, units may have been taken back since.
  if (!isAccepted(event) && identifier !== delivery.identifier) return;
  if (event.units !== delivery.units || event.customerId !== delivery.customerId)
    say(
      `Stripe has ${identifier} with ${event.units} units of ${event.customerId}, owed are ${delivery.units}`,
    );
  const subscriber = subscribers.find(({ id }) => id === delivery.customerId);
  if (!subscriber) return;
  const billedMs = periodStartMs(subscriber, event.timestampMs);
  for (const { atMs, route } of rows) {
    if (periodStartMs(subscriber, atMs) !== billedMs)
      say(
        `${identifier} bills ${route} of ${timeOf(atMs)} at ${timeOf(event.timestampMs)}, in another period`,
      );
  }
}

/** ledger = accepted + refused + uncertain + still to be sent, by customer and period of use; so too the roll-up of reports. */
function checkPeriods(books: Books, { subscribers }: Expectations, say: Say): void {
  const { deliveries, events, ledger, periods } = books;
  for (const subscriber of subscribers) {
    const mine = <T extends { customerId: string }>(rows: T[]) =>
      rows.filter(({ customerId }) => customerId === subscriber.id);
    const startOf = (atMs: number) => periodStartMs(subscriber, atMs);
    const used = groupBy(mine(ledger), (row) => startOf(row.atMs));
    const accepted = mine(events).filter(isAccepted);
    const arrived = new Set(accepted.map(({ deliveryId }) => deliveryId));
    const received = groupBy(accepted, (event) => startOf(event.timestampMs));
    const owed = groupBy(
      mine(deliveries).filter(({ id }) => !arrived.has(id)),
      (delivery) => startOf(delivery.timestampMs),
    );
    for (const startMs of new Set([...used.keys(), ...received.keys(), ...owed.keys()])) {
      const units = sum(used.get(startMs));
      const found = sum(received.get(startMs)) + sum(owed.get(startMs));
      const where = `${subscriber.id} in the period from ${timeOf(startMs)}`;
      if (units !== found)
        say(`${where}: ${units} units in the ledger, ${found} at Stripe and in the outbox`);
      const rolledUp = sum(mine(periods).filter((period) => period.startMs === startMs));
      if (rolledUp !== units) say(`${where}: ${units} units in the ledger, ${rolledUp} in its roll-up`);
    }
  }
}

/** Once all is well again for a while, nothing is under way any more. */
function checkDrained({ deliveries }: Books, say: Say): void {
  const states = new Map(deliveries.map(({ id, state }) => [id, state]));
  for (const { id, state, reason, corrects } of deliveries) {
    const mayWait = corrects !== null && states.get(corrects) !== 'delivered';
    if (['open', 'pending', 'claimed'].includes(state) && !mayWait) say(`${id} is still ${state}: ${reason}`);
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function sum(rows: readonly { units: number }[] = []): number {
  return rows.reduce((total, row) => total + row.units, 0);
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
