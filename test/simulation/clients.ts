/** The clients of a simulation: paid calls, and usage that the operator records, again and again under one key. */

import type { RecordedUsage } from '../../src/domain/usage.js';
import { recordUsageOnce } from '../../src/metering/record-once.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { voidUsage } from '../../src/metering/void-usage.js';
import type { Daemon, DaemonWorld } from './daemon.js';
import type { Dice } from './dice.js';
import { meter, type Subscriber, windowMs } from './template.js';

/** Something that was asked for once, or again and again under one key: the ledger may hold it once. */
export interface Order {
  /** How the ledger's row is known: by its route (a call), its idempotency key (recorded usage), or the row it takes back. */
  name: string;
  customerId: string;
  /** What was asked for, each time. */
  asked: { units: number; atMs: number }[];
  /** What was promised to be in the ledger. */
  answers: Pick<RecordedUsage, 'id' | 'units'>[];
}

/** Asks daemons for things and remembers what they promised. */
export interface Clients {
  readonly orders: Map<string, Order>;
  /** A paid call, of this customer or of any. */
  call(daemon: Daemon, subscriber?: Subscriber): Promise<void>;
  /** Usage that the operator records. */
  record(daemon: Daemon): Promise<void>;
  /** Usage that the operator takes back, sometimes more than once. */
  takeBack(daemon: Daemon): Promise<void>;
}

/** Makes clients. */
export function createClients(world: DaemonWorld, dice: Dice): Clients {
  const { template, time } = world;
  const orders = new Map<string, Order>();
  const settings = { meter, windowMs };

  function order(name: string, customerId: string, asked: Order['asked'][number]): Order {
    const known = orders.get(name) ?? { name, customerId, asked: [], answers: [] };
    known.asked.push(asked);
    orders.set(name, known);
    return known;
  }

  return {
    orders,
    async call({ store, ledger, host }, subscriber) {
      const { id } =
        subscriber ?? dice.pick([...template.subscribers, ...template.subscribers, template.ghost]);
      const units = dice.chance(0.8) ? 1 : dice.between(2, 1_000);
      const name = `call ${orders.size}`;
      const atMs = host.clock.nowMs();
      const promised = order(name, id, { units, atMs });
      const customer = await store.findCustomer(id);
      if (!customer) throw new Error(`${id} is not in the database.`);
      const row = usageRow({ customer, keyNo: null, route: name, units, atMs }, settings);
      const recorded = await ledger.record(world.fault?.usage?.(row) ?? row);
      promised.answers.push(recorded);
    },
    async record({ store, host }) {
      const again = [...orders.values()].filter(({ name }) => name.startsWith('key '));
      if (again.length > 0 && dice.chance(0.4)) {
        const { name, customerId, asked } = dice.pick(again);
        const [first] = asked;
        if (!first) return;
        // A client may err and repeat a key with another amount: the first one counts.
        const units = dice.chance(0.8) ? first.units : first.units + 1;
        const promised = order(name, customerId, { units, atMs: first.atMs });
        promised.answers.push(
          await recordUsageOnce(
            { store, host, settings },
            { customerId, units, atMs: first.atMs, idempotencyKey: name },
          ),
        );
        return;
      }
      const subscriber = dice.pick([...template.subscribers, template.ghost]);
      const reported = { units: dice.between(1, 50), atMs: drawTime(dice, subscriber, host.clock.nowMs()) };
      const name = `key ${orders.size}`;
      const promised = order(name, subscriber.id, reported);
      const use = { customerId: subscriber.id, ...reported, idempotencyKey: name };
      promised.answers.push(await recordUsageOnce({ store, host, settings }, use));
    },
    async takeBack({ store, host }) {
      const answered = [...orders.values()].filter(({ answers: [first] }) => first && first.units > 0);
      if (answered.length === 0) return;
      const { customerId, asked, answers } = dice.pick(answered);
      const [{ atMs } = { atMs: 0 }] = asked;
      const [{ id, units } = { id: 0, units: 0 }] = answers;
      const promised = order(`void ${id}`, customerId, { units: -units, atMs });
      const wish = { usageId: id, reason: 'a mistake', actor: 'cli:operator' } as const;
      promised.answers.push(await voidUsage({ store, host }, wish));
    },
  };

  /** Now, lately, at an edge of a period, or days ago. */
  function drawTime(from: Dice, subscriber: Subscriber, nowMs: number): number {
    const hour = 3_600_000;
    const edgeMs = periodStartMs(subscriber, nowMs);
    const drawn = from.pick([
      nowMs,
      nowMs - from.between(0, hour),
      edgeMs + from.between(-6_000, 6_000),
      nowMs - from.between(0, 20 * 24 * hour),
    ]);
    return Math.min(drawn, nowMs, Math.max(time.trueMs(), nowMs));
  }
}

/** When the customer's billing period that contains a time began: counted here anew, so that it proves what the program counts. */
export function periodStartMs(subscriber: Subscriber, atMs: number): number {
  return edgeMs(subscriber, periodNumber(subscriber, atMs));
}

/** When that period ends. */
export function periodEndMs(subscriber: Subscriber, atMs: number): number {
  return edgeMs(subscriber, periodNumber(subscriber, atMs) + 1);
}

function periodNumber(subscriber: Subscriber, atMs: number): number {
  const dayMs = 86_400_000;
  const lengthMs = { day: dayMs, week: 7 * dayMs, month: 28 * dayMs, year: 365 * dayMs }[subscriber.interval];
  let number = Math.floor((atMs - subscriber.anchorMs) / lengthMs);
  while (edgeMs(subscriber, number) > atMs) number -= 1;
  while (edgeMs(subscriber, number + 1) <= atMs) number += 1;
  return number;
}

/** The start of a period: anchors lie on days that every month has. */
function edgeMs({ interval, anchorMs }: Subscriber, number: number): number {
  const anchor = new Date(anchorMs);
  if (interval === 'month') return anchor.setUTCMonth(anchor.getUTCMonth() + number);
  if (interval === 'year') return anchor.setUTCFullYear(anchor.getUTCFullYear() + number);
  return anchor.setUTCDate(anchor.getUTCDate() + number * (interval === 'week' ? 7 : 1));
}
