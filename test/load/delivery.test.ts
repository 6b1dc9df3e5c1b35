/**
 * Delivers the open windows of very many customers, from a ledger on disk, over sockets, at Stripe's live rate. A short round
 * is part of the tests; `npm run load` is the whole of it, and tells what it reached.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { createCourier } from '../../src/delivery/courier.js';
import { createPeriodCheck } from '../../src/delivery/period-check.js';
import type { Store } from '../../src/domain/store.js';
import { createHost } from '../../src/host.js';
import type { Host } from '../../src/lib/host.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { openDatabase } from '../../src/sqlite/open.js';
import { createStore } from '../../src/sqlite/store.js';
import { createBilling } from '../../src/stripe/billing.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';
import { recordCustomer, stripeCustomer, subscriptionOf } from '../support/records.js';

const deliveries = Number(process.env.DELIVERIES ?? 500);
const ratePerSecond = 1_000;
const latencyMs = 100;
const dayMs = 86_400_000;

it(`delivers the windows of ${deliveries} customers, each once`, {
  timeout: 120_000 + deliveries * 10,
}, async () => {
  const host = createHost(createFakeHost().log);
  const store = await openLedger(host);
  const stripe = await startStripe();
  const access = { secretKey: 'sk_test_load', apiBase: stripe.url, meterId: 'mtr_1' };
  const billing = createBilling(access, host.clock);
  const courier = createCourier({
    ...{ store, host, billing, ratePerSecond },
    periodCheck: createPeriodCheck({ store, billing, clock: host.clock }),
    verify: async () => undefined,
  });
  const measured = measure();
  await courier.flush(new AbortController().signal);
  const { seconds, text } = measured.end();
  await courier.close();
  expect(await stripe.count()).toEqual({ events: deliveries, identifiers: deliveries });
  expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({
    delivered: deliveries,
    pending: 0,
  });
  console.log(`${deliveries} deliveries, ${Math.round(deliveries / seconds)} a second, ${text}`);
});

/** Each customer has a subscription and used something just now. What it takes to get there is not synced to disk. */
async function openLedger(host: Host): Promise<Store> {
  const database = openDatabase(join(createTestFolder(), 'meterctl.db'), host.clock);
  onTestFinished(database.close);
  const store = createStore(database, host);
  database.connection.pragma('synchronous = OFF');
  const atMs = host.clock.nowMs();
  const period = { startMs: atMs - dayMs, endMs: atMs + 20 * dayMs };
  for (let n = 1; n <= deliveries; n += 1) {
    const id = `cus_${n}`;
    const subscription = subscriptionOf(id, { period, anchorMs: period.startMs });
    const customer = await recordCustomer(store, stripeCustomer({ id }), subscription);
    const used = { customer, keyNo: null, route: 'GET /api', units: n, atMs };
    await store.recordUsage([usageRow(used, { meter: 'calls', windowMs: 2_000 })], atMs);
  }
  database.connection.pragma('synchronous = FULL');
  return store;
}

async function startStripe() {
  const script = fileURLToPath(new URL('stripe-stub.mjs', import.meta.url));
  const child = fork(script, [String(latencyMs)]);
  onTestFinished(() => void child.kill());
  // The script's own messages: first its port, then its counts.
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    async count(): Promise<unknown> {
      child.send('count');
      const [counts] = await once(child, 'message');
      return counts;
    },
  };
}

/** Time, and what it costs this process. */
function measure(): { end(): { seconds: number; text: string } } {
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
  }, 100);
  return {
    end() {
      clearInterval(timer);
      const seconds = (performance.now() - startMs) / 1_000;
      const { user, system } = process.cpuUsage(cpu);
      const share = Math.round((user + system) / seconds / 10_000);
      return { seconds, text: `${share} % of a core, at most ${Math.round(peakBytes / 1e6)} MB` };
    },
  };
}
