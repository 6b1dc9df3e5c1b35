/** Reconciles once a day in the background, settles what is uncertain, and remembers what was found. */

import type { InvoiceBilling, MeterSumBilling } from '../domain/billing.js';
import { type DriftCause, differenceOf } from '../domain/reconciliation.js';
import type { IdentityStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import {
  type ReconcilePace,
  type ReconcileStore,
  type Reconciliation,
  reconcile,
  reconcileRange,
} from './reconcile.js';

const dayMs = 24 * 3_600_000;

/** How often it is looked whether a day has passed, and how soon a run that failed is tried again. */
const intervalMs = 10 * 60_000;

/** The mark that holds the last result. */
const markName = 'last_reconciliation';

/** What the last run found. */
export interface LastReconciliation {
  /** When it ended. */
  atMs: number;
  /** How many customers were compared. */
  checked: number;
  /** How many spans differ, by cause. */
  drift: Partial<Record<DriftCause, number>>;
  /** Units that differ, in whichever direction. */
  driftUnits: number;
  repaired: number;
}

/** What it needs. */
export interface DailyReconcileDeps {
  store: ReconcileStore & IdentityStore;
  billing: MeterSumBilling & InvoiceBilling;
  host: Host;
  /** The meter's event name. */
  meter: string;
  pace: ReconcilePace;
  /** Throws while it is not certain that the key belongs to the account of this ledger. */
  verify(): Promise<void>;
}

/** What the last run found, by whichever process; `undefined` before the first. */
export async function findLastReconciliation(store: IdentityStore): Promise<LastReconciliation | undefined> {
  const mark = await store.findMark(markName);
  // Nothing but `tick` below writes this mark.
  return mark === undefined ? undefined : (JSON.parse(mark) as LastReconciliation);
}

/** Makes the loop. `tick` runs when a day has passed since the last run, and is what tests call. */
export function createDailyReconcile(
  deps: DailyReconcileDeps,
): Loop & { tick(signal: AbortSignal): Promise<void> } {
  const { store, host, pace } = deps;

  async function tick(signal: AbortSignal): Promise<void> {
    const nowMs = host.clock.nowMs();
    const last = await findLastReconciliation(store);
    // A run that lies ahead was noted by a clock that was ahead.
    if (last && nowMs - last.atMs < dayMs && nowMs >= last.atMs) return;
    await deps.verify();
    const range = reconcileRange({}, nowMs, pace);
    const found = await reconcile(deps, { range, older: true, repair: 'uncertain', signal });
    // One that was ended early says nothing of the customers that it did not come to.
    if (signal.aborted) return;
    const summary = summaryOf(found, host.clock.nowMs());
    await store.recordMark(markName, JSON.stringify(summary));
    const { log } = host;
    if (found.drift.length > 0)
      log.warn('Stripe does not bill what the ledger holds: see meterctl reconcile', { ...summary });
    else
      log.info('ledger, deliveries and Stripe agree', {
        checked: summary.checked,
        repaired: summary.repaired,
      });
  }

  return {
    ...createLoop({ name: 'reconciliation', clock: host.clock, log: host.log, intervalMs, tick }),
    tick,
  };
}

function summaryOf({ checked, drift, repaired }: Reconciliation, atMs: number): LastReconciliation {
  const byCause: LastReconciliation['drift'] = {};
  let driftUnits = 0;
  for (const row of drift) {
    byCause[row.cause] = (byCause[row.cause] ?? 0) + 1;
    driftUnits += Math.abs(differenceOf(row));
  }
  return { atMs, checked, drift: byCause, driftUnits, repaired };
}
