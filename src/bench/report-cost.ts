/** What reports cost: a month of a large ledger, by customer and by day. */

import assert from 'node:assert';
import { openStore } from '../app.js';
import type { Settings } from '../config/settings.js';
import type { Store } from '../domain/store.js';
import type { NewUsage, UsageSum } from '../domain/usage.js';
import type { Host } from '../lib/host.js';

/** What was measured. */
export interface ReportCost {
  rows: number;
  customers: number;
  /** Milliseconds for both reports, one value a round. */
  ms: number[];
}

const customers = 100;
const days = 30;
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const batchRows = 20_000;

/** The clock counts milliseconds, so each round reads the report so often. */
const readsPerRound = 10;

/** Fills the ledger of the settings with `rows` over 30 days until now, and reads them as reports do. */
export async function measureReport(
  settings: Settings,
  host: Host,
  plan: { rows: number; rounds: number; signal: AbortSignal; onRows(done: number): void },
): Promise<ReportCost> {
  const store = await openStore(settings, host);
  try {
    const toMs = host.clock.nowMs();
    const fromMs = Math.floor(toMs / dayMs - days) * dayMs;
    await fill(store, { ...plan, fromMs, toMs, nowMs: toMs });
    const ms: number[] = [];
    for (let round = 0; round < plan.rounds; round += 1) {
      const startMs = host.clock.nowMs();
      for (let read = 0; read < readsPerRound; read += 1) {
        const byCustomer = await store.listUsage({ fromMs, toMs }, 'customer');
        const byDay = await store.listUsage({ fromMs, toMs }, 'day');
        assert(total(byCustomer) === plan.rows && total(byDay) === plan.rows, 'every row is in both reports');
      }
      ms.push((host.clock.nowMs() - startMs) / readsPerRound);
    }
    return { rows: plan.rows, customers, ms };
  } finally {
    await store.close();
  }
}

/** Writes rows through the ledger itself, in order of time. */
async function fill(
  store: Store,
  span: {
    rows: number;
    fromMs: number;
    toMs: number;
    nowMs: number;
    signal: AbortSignal;
    onRows(done: number): void;
  },
): Promise<void> {
  const numbers: number[] = [];
  for (let index = 0; index < customers; index += 1) {
    const id = `cus_bench${index}`;
    const customer = { id, email: null, name: null, createdAtMs: span.fromMs, deleted: false };
    const stored = await store.recordReading({ customer, subscriptions: [], follows: 0 });
    assert(stored !== 'stale');
    numbers.push(stored.no);
  }
  for (let first = 0; first < span.rows; first += batchRows) {
    span.signal.throwIfAborted();
    const count = Math.min(batchRows, span.rows - first);
    const batch = Array.from({ length: count }, (_, index) => usageAt(first + index, numbers, span));
    await store.recordUsage(batch, span.nowMs);
    span.onRows(first + count);
  }
}

function usageAt(
  index: number,
  customerNos: readonly number[],
  { rows, fromMs, toMs }: { rows: number; fromMs: number; toMs: number },
): NewUsage {
  const customerNo = customerNos[index % customerNos.length];
  assert(customerNo !== undefined);
  const atMs = fromMs + Math.floor(((toMs - fromMs) * index) / rows);
  const startMs = Math.floor(atMs / hourMs) * hourMs;
  return {
    ...{ customerNo, keyNo: null, meter: 'bench_calls', route: 'GET /api', units: 1, atMs },
    window: { startMs, endMs: startMs + hourMs },
    periodStartMs: 0,
  };
}

function total(sums: readonly UsageSum[]): number {
  return sums.reduce((sum, { units }) => sum + units, 0);
}
