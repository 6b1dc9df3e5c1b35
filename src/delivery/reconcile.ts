/** Reconciliation: ledger = deliveries = what Stripe counts, for every customer, and the repair of what is proved. */

import type { InvoiceBilling, MeterSumBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { Mode } from '../domain/mode.js';
import type { Page, PageRequest } from '../domain/page.js';
import type { Drift, StampedRange } from '../domain/reconciliation.js';
import type { CustomerStore, DeliveryStore, ReconciliationStore } from '../domain/store.js';
import type { Period } from '../domain/subscription.js';
import type { Host } from '../lib/host.js';
import { compareCustomer } from './compare-customer.js';
import { createMeterReader } from './meter-reader.js';
import { minuteMs } from './narrow.js';
import { ageMaxMs } from './send.js';
import { findUninvoiced } from './uninvoiced.js';
import { verdictsOf } from './verdicts.js';

/** How far Stripe's counts can be trusted, and how fast they may be read. */
export interface ReconcilePace {
  /** How long after it was accepted usage need not show in the counts (stripe-facts 3f: eventually consistent). */
  lagMs: number;
  /** How long after it was sent usage that does not show has proved not to be there. */
  absenceMs: number;
  readsPerSecond: number;
}

/** Well below Stripe's 100 calls a second, or 25 in a sandbox (stripe-facts 9). The embedded Stripe counts at once. */
export const reconcilePaces: Readonly<Record<Mode, ReconcilePace>> = {
  live: { lagMs: 15 * 60_000, absenceMs: 60 * 60_000, readsPerSecond: 40 },
  test: { lagMs: 15 * 60_000, absenceMs: 60 * 60_000, readsPerSecond: 5 },
  emulator: { lagMs: 0, absenceMs: 0, readsPerSecond: 500 },
};

/** Customers that are compared at a time: Stripe's answers take far longer than the pace allows one after the other. */
const customersInFlightMax = 8;

const pageMax = 200;

/** More is counted, and not kept. */
const driftMax = 10_000;

/**
 * What may be repaired. `uncertain`: deliveries whose outcome is unknown are settled. `all`: what Stripe accepted and does
 * not count is sent again, too.
 */
export type Repair = 'none' | 'uncertain' | 'all';

/** What is asked for. */
export interface ReconcileOrder {
  range: Period;
  /** Everybody, without it. */
  customerId?: string | undefined;
  /** Whether uncertain deliveries older than the range are looked at as well: they stay until they are settled. */
  older: boolean;
  repair: Repair;
  /** Once it aborts, `reconcile` ends early. */
  signal: AbortSignal;
  /** Called after each customer. */
  onChecked?(checked: number): void;
}

/** What was found. */
export interface Reconciliation {
  range: Period;
  /** How many customers were compared. */
  checked: number;
  /** By customer and time. */
  drift: Drift[];
  /** Further drift beyond a bound of memory. */
  driftOmitted: number;
  /** How many deliveries were settled or are sent again. */
  repaired: number;
}

/**
 * The range to compare, in whole minutes: from the age at which Stripe stops to take usage until now, less what need not
 * show yet. Throws `invalid` for a range that is empty.
 */
export function reconcileRange(
  wish: { fromMs?: number | undefined; toMs?: number | undefined },
  nowMs: number,
  { lagMs }: ReconcilePace,
): Period {
  const lastMs = lagMs === 0 ? floorMinute(nowMs) + minuteMs : floorMinute(nowMs - lagMs);
  const endMs = Math.min(lastMs, wish.toMs === undefined ? lastMs : floorMinute(wish.toMs));
  const startMs = floorMinute(wish.fromMs ?? endMs - ageMaxMs);
  if (startMs < endMs) return { startMs, endMs };
  throw new MeterctlError('invalid', 'There is nothing to compare in this range.', {
    hint:
      lagMs === 0
        ? 'It must begin at least a minute before its end.'
        : `It must begin before its end, and more than ${lagMs / minuteMs} minutes ago: Stripe's counts lag behind.`,
  });
}

/** What is compared, and where what is uncertain stands. */
export type ReconcileStore = ReconciliationStore &
  Pick<DeliveryStore, 'listDeliveries'> &
  Pick<CustomerStore, 'findCustomer'>;

/** Compares. Throws `unavailable` or `unauthorized` when Stripe or the database cannot be read. */
export async function reconcile(
  deps: {
    store: ReconcileStore;
    billing: MeterSumBilling & InvoiceBilling;
    host: Host;
    meter: string;
    pace: ReconcilePace;
  },
  order: ReconcileOrder,
): Promise<Reconciliation> {
  const { store, host, meter, pace } = deps;
  const { range, repair, signal } = order;
  const { readsPerSecond, lagMs, absenceMs } = pace;
  const reader = createMeterReader({ billing: deps.billing, host, readsPerSecond }, signal);
  const found: Reconciliation = { range, checked: 0, drift: [], driftOmitted: 0, repaired: 0 };

  async function settle(minute: StampedRange, stripe: number, settledBeforeMs: number): Promise<number> {
    if (repair === 'none') return 0;
    const nowMs = host.clock.nowMs();
    const stamped = await store.listStamped(minute);
    const proved = verdictsOf(stamped, stripe, { nowMs, settledBeforeMs, absenceMs });
    const wanted = proved.filter(({ state }) => repair === 'all' || state === 'uncertain');
    return wanted.length === 0 ? 0 : store.settleCompared(wanted, nowMs);
  }

  async function check({ customerId, range }: Task): Promise<void> {
    const compareDeps = { store, reader, meter, clock: host.clock, lagMs, settle };
    const customer = await store.findCustomer(customerId);
    const compared = { id: customerId, subscriptions: customer?.subscriptions ?? [] };
    const { drift, repaired } = await compareCustomer(compareDeps, compared, range);
    if (customer && !drift.some(({ cause }) => cause === 'no_such_customer'))
      drift.push(...(await findUninvoiced({ store, billing: reader, meter }, customer, range)));
    const kept = drift.slice(0, driftMax - found.drift.length);
    found.drift.push(...kept);
    found.driftOmitted += drift.length - kept.length;
    found.repaired += repaired;
  }

  await eachOf(customersOf(store, order), customersInFlightMax, signal, async (task) => {
    await check(task);
    found.checked += 1;
    order.onChecked?.(found.checked);
  });
  if (order.older) await eachOf(olderMinutes(store, order, meter), customersInFlightMax, signal, check);
  found.drift.sort((a, b) => compareText(a.customerId, b.customerId) || a.startMs - b.startMs);
  return found;
}

/** What is compared at a time. */
interface Task {
  customerId: string;
  range: Period;
}

async function* customersOf(
  store: ReconcileStore,
  { range, customerId }: ReconcileOrder,
): AsyncGenerator<Task> {
  if (customerId !== undefined) return void (yield { customerId, range });
  const pages = pagesOf((page) => store.listReconciledCustomers(range, page));
  for await (const id of pages) yield { customerId: id, range };
}

/** The minutes before the range in which something is uncertain. */
async function* olderMinutes(
  store: ReconcileStore,
  { range, customerId }: ReconcileOrder,
  meter: string,
): AsyncGenerator<Task> {
  const known = new Set<string>();
  const filter = { customerId, state: 'uncertain' as const };
  for await (const delivery of pagesOf((page) => store.listDeliveries(filter, page))) {
    const startMs = floorMinute(delivery.timestampMs);
    const name = `${delivery.customerId} ${startMs}`;
    if (startMs >= range.startMs || delivery.meter !== meter || known.has(name)) continue;
    known.add(name);
    yield { customerId: delivery.customerId, range: { startMs, endMs: startMs + minuteMs } };
  }
}

async function* pagesOf<T>(read: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | undefined;
  for (;;) {
    const page = await read({ limit: pageMax, cursor });
    yield* page.data;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}

/** Works on so many items at a time until there are no more; after a failure nothing new begins, and it is thrown. */
async function eachOf<T>(
  items: AsyncGenerator<T>,
  inFlightMax: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  async function worker(): Promise<void> {
    // Leaving the loop ends the generator, and with it every other worker's loop.
    for await (const item of items) {
      if (signal.aborted) return;
      await work(item);
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: inFlightMax }, worker));
  for (const worker of ended) if (worker.status === 'rejected') throw worker.reason;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function floorMinute(ms: number): number {
  return Math.floor(ms / minuteMs) * minuteMs;
}
