/** `/healthz` and `/readyz`: alive, and able to serve. */

import type { RequestHandler } from 'express';
import { findLastReconciliation } from '../../delivery/daily-reconcile.js';
import type { CourierState } from '../../delivery/pace.js';
import type { Store } from '../../domain/store.js';
import type { Clock } from '../../lib/host.js';
import { rfc3339 } from '../../lib/rfc3339.js';

/** What the health routes look at. */
export interface HealthDeps {
  store: Store;
  clock: Clock;
  courier(): CourierState;
}

/** Stripe finalizes an invoice an hour after its period; usage that waits for over half of that is in danger (stripe-facts 8). */
const outboxWaitMaxMs = 30 * 60_000;

/** The process answers. */
export const alive: RequestHandler = function alive(_req, res) {
  res.json({ status: 'ok' });
};

/** 200 when calls can be recorded and usage reaches Stripe in time, 503 with the reason otherwise. */
export function ready(deps: HealthDeps): RequestHandler {
  return async function ready(_req, res) {
    const problems: string[] = [];
    const database = await deps.store.check().then(
      () => 'ok',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (database !== 'ok') problems.push(`The database cannot be written: ${database}`);
    const outbox = database === 'ok' ? await deps.store.countDeliveries(deps.clock.nowMs()) : undefined;
    if (outbox && (await deps.store.hasWaitedSince(deps.clock.nowMs() - outboxWaitMaxMs)))
      problems.push('Usage has waited for Stripe for over 30 minutes.');
    const reconciliation = database === 'ok' ? await reconciliationOf(deps.store) : undefined;
    const courier = deps.courier();
    if (courier.stopped) problems.push(courier.stopped);
    res.status(problems.length === 0 ? 200 : 503).json({
      status: problems.length === 0 ? 'ok' : 'failing',
      problems,
      details: { database, outbox, courier, reconciliation },
    });
  };
}

/** What the last comparison with Stripe's counts found; `null` before the first. */
async function reconciliationOf(store: Store) {
  const last = await findLastReconciliation(store);
  if (!last) return null;
  const { atMs, checked, drift, driftUnits, repaired } = last;
  return { at: rfc3339(atMs), checked, drift, drift_units: driftUnits, repaired };
}
