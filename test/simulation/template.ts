/** The account and the database that every simulation starts from, made once and copied: customers with periods of all kinds. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFileName, writeConfigFile } from '../../src/config/config-file.js';
import { resolveSettings } from '../../src/config/resolve-settings.js';
import type { ConfigFile } from '../../src/config/schema.js';
import type { Settings } from '../../src/config/settings.js';
import { gatherSources } from '../../src/config/sources.js';
import { syncCustomer } from '../../src/customers/sync.js';
import { openEmulator } from '../../src/emulator/server.js';
import { addIntervals, type Interval } from '../../src/lib/calendar.js';
import { openStore } from '../../src/sqlite/store.js';
import { createBilling } from '../../src/stripe/billing.js';
import { createFakeHost } from '../support/host.js';
import { recordCustomer, recordSubscription } from '../support/records.js';
import { createSubscription } from '../support/rows.js';

/** The meter's event name. */
export const meter = 'calls';

/** Usage is aggregated for so long. */
export const windowMs = 5_000;

/** A customer, and how Stripe counts his periods. */
export interface Subscriber {
  id: string;
  interval: Interval;
  anchorMs: number;
}

/** What was made. */
export interface Template {
  subscribers: Subscriber[];
  /** A customer whom Stripe does not know: everything sent for him is accepted, and refused afterwards. */
  ghost: Subscriber;
  /** When all of it was there. */
  endMs: number;
  /** Copies the files into a folder. */
  copyTo(folder: string): { emulatorPath: string };
  /** What the program makes of its configuration there, with Stripe at this address. */
  settingsIn(folder: string, apiBase: string): Settings;
}

/** The edges of periods lie beside those of delivery windows, or no window would ever be cut. */
const plan: readonly { interval: Interval; anchorMs: number }[] = [
  { interval: 'month', anchorMs: Date.UTC(2026, 9, 11, 23, 59, 58) },
  { interval: 'week', anchorMs: Date.UTC(2026, 10, 4, 11, 20, 1) },
  { interval: 'day', anchorMs: Date.UTC(2026, 10, 9, 8, 0, 3) },
  { interval: 'day', anchorMs: Date.UTC(2026, 10, 9, 17, 30, 47) },
];

const ghost: Subscriber = { id: 'cus_ghost', interval: 'day', anchorMs: Date.UTC(2026, 10, 9, 12, 0, 2) };

/** Makes the template in a folder, which must stay. */
export async function createTemplate(folder: string): Promise<Template> {
  const databasePath = join(folder, 'meterctl.db');
  const emulatorPath = join(folder, 'emulator.db');
  const host = createFakeHost({ nowMs: Date.UTC(2026, 9, 11) });
  const emulator = await openEmulator({ databasePath: emulatorPath, port: 0, host });
  const store = await openStore({ path: databasePath, host });
  const subscribers: Subscriber[] = [];
  const access = { secretKey: 'sk_test_simulation', apiBase: emulator.url };
  const catalog = createBilling({ ...access, meterId: null }, host.clock);
  const { id: meterId } = await catalog.addMeter({ eventName: meter, displayName: 'Calls' }, 'meter');
  const product = await catalog.addProduct({ id: 'prod_calls', name: 'Calls', unitLabel: 'call' }, 'product');
  const billing = createBilling({ ...access, meterId }, host.clock);
  for (const { interval, anchorMs } of plan) {
    host.jump(anchorMs);
    const no = subscribers.length + 1;
    const price = await billing.addPrice(
      {
        lookupKey: `calls_${no}`,
        productId: product.id,
        meterId,
        currency: 'usd',
        unitAmountMinor: '5',
        interval,
      },
      `price:${no}`,
    );
    const { id } = await billing.addCustomer({ email: `${no}@example.com`, name: null }, `customer:${no}`);
    await billing.addSubscription(id, price.id, `subscription:${no}`);
    await syncCustomer({ store, billing }, id);
    subscribers.push({ id, interval, anchorMs });
  }
  const period = { startMs: ghost.anchorMs, endMs: addIntervals(ghost.anchorMs, ghost.interval, 1) };
  await recordCustomer(store, { id: ghost.id, email: null, name: null, createdAtMs: 0, deleted: false });
  await recordSubscription(
    store,
    createSubscription({
      id: 'sub_ghost',
      customerId: ghost.id,
      period,
      interval: ghost.interval,
      anchorMs: ghost.anchorMs,
    }),
  );
  const webhookSecrets: string[] = [];
  for (const kind of ['snapshot', 'thin'] as const) {
    const { secret } = await billing.addWebhookEndpoint('http://127.0.0.1/webhook', kind, `webhook:${kind}`);
    if (secret !== null) webhookSecrets.push(secret);
  }
  writeConfigFile(join(folder, configFileName), configurationOf(meterId));
  const endMs = host.clock.nowMs();
  await emulator.close();
  await store.close();
  return {
    ...{ subscribers, ghost, endMs },
    copyTo(to) {
      for (const name of [configFileName, 'meterctl.db', 'emulator.db'])
        copyFileSync(join(folder, name), join(to, name));
      return { emulatorPath: join(to, 'emulator.db') };
    },
    settingsIn(to, apiBase) {
      const env = {
        STRIPE_SECRET_KEY: 'sk_test_simulation',
        STRIPE_API_BASE: apiBase,
        STRIPE_WEBHOOK_SECRET: webhookSecrets.join(','),
        METERCTL_DATABASE: join(to, 'meterctl.db'),
      };
      return resolveSettings(gatherSources({ folder: to, env, flags: {} }), to);
    },
  };
}

/** The configuration that `init` would have written. */
function configurationOf(meterId: string): ConfigFile {
  return {
    mode: 'test',
    product: { name: 'Calls', unit: 'call' },
    price: { amount: '0.05', currency: 'usd', interval: 'month' },
    meter: { eventName: meter },
    stripe: { meter: meterId, product: 'prod_calls', price: 'price_calls', webhooks: [] },
    delivery: { window: `${windowMs / 1_000}s` },
  };
}
