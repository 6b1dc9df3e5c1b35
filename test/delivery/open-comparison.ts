/** Store, courier and embedded Stripe together, with one customer whom both sides know. */

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createCourier } from '../../src/delivery/courier.js';
import { createPeriodCheck } from '../../src/delivery/period-check.js';
import {
  type ReconcileOrder,
  type Reconciliation,
  reconcile,
  reconcilePaces,
  reconcileRange,
} from '../../src/delivery/reconcile.js';
import { openStore } from '../../src/sqlite/store.js';
import { createBilling } from '../../src/stripe/billing.js';
import { createMeteredPrice, openTestEmulator } from '../emulator/open-test-emulator.js';
import { createTestFolder } from '../support/folder.js';
import { newUsage, recordCustomer } from '../support/records.js';

const running = new AbortController().signal;

/** Opens all of it; it closes with the test. */
export async function openComparison(pace = reconcilePaces.emulator) {
  const { stripe, emulator, host } = await openTestEmulator();
  const { meter } = await createMeteredPrice(stripe);
  const databasePath = join(createTestFolder(), 'meterctl.db');
  const store = await openStore({ path: databasePath, host });
  onTestFinished(() => store.close());
  const access = { secretKey: 'sk_test_x', apiBase: emulator.url, meterId: meter.id };
  const billing = createBilling(access, host.clock);
  const periodCheck = createPeriodCheck({ store, billing, clock: host.clock });
  const courier = createCourier({
    ...{ store, billing, host, periodCheck, ratePerSecond: 1_000 },
    verify: async () => undefined,
  });

  async function addCustomer(id?: string): Promise<{ id: string; no: number }> {
    const known = id ?? (await stripe.customers.create({})).id;
    const { no } = await recordCustomer(store, {
      ...{ id: known, email: 'a@example.com', name: null, createdAtMs: 0, deleted: false },
    });
    return { id: known, no };
  }

  /** Time goes on while something runs that may wait. */
  async function passing<T>(work: Promise<T>, stepMs = 1_000): Promise<T> {
    let ended = false;
    void work.then(
      () => (ended = true),
      () => (ended = true),
    );
    while (!ended) await host.advance(stepMs);
    return work;
  }

  const customer = await addCustomer();
  return {
    ...{ stripe, emulator, host, store, databasePath, billing, meter, customer, addCustomer, passing },
    faults: emulator.account.faults,
    /** Usage of so many units, ending some time ago. */
    async use(units: number, agoMs = 60_000, customerNo = customer.no): Promise<void> {
      const atMs = host.clock.nowMs() - agoMs;
      await store.recordUsage([newUsage(customerNo, { units, atMs, meter: 'calls' })], host.clock.nowMs());
    },
    /** Sends what is due. */
    send: () => courier.tick(running),
    /** Lets time pass without anything running. */
    wait: (ms: number) => host.jump(host.clock.nowMs() + ms),
    /** An event that meterctl did not send. */
    foreign: (value: number, agoMs = 60_000) =>
      stripe.billing.meterEvents.create({
        event_name: 'calls',
        timestamp: Math.floor((host.clock.nowMs() - agoMs) / 1000),
        payload: { stripe_customer_id: customer.id, value: String(value) },
      }),
    /** What Stripe counts for the customer. */
    counted: () =>
      billing.sumMeterEvents(
        customer.id,
        ...(Object.values(reconcileRange({}, host.clock.nowMs(), reconcilePaces.emulator)) as [
          number,
          number,
        ]),
      ),
    compare: (order: Partial<ReconcileOrder> = {}): Promise<Reconciliation> =>
      reconcile(
        { store, billing, host, meter: 'calls', pace },
        {
          range: reconcileRange({}, host.clock.nowMs(), pace),
          older: true,
          repair: 'none',
          signal: running,
          ...order,
        },
      ),
  };
}
