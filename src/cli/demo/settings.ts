/** The settings of the demo: the embedded Stripe, any free port, everything in one folder. */

import { join } from 'node:path';
import { gatewaySettings } from '../../config/gateway-settings.js';
import type { CatalogIds, CatalogSettings, Settings } from '../../config/settings.js';

/** What the demo sells. */
export const demoCatalog: CatalogSettings = {
  productName: 'Fire API',
  unit: 'call',
  price: '1.00',
  currency: 'usd',
  interval: 'month',
  eventName: 'fire_api_calls',
};

/** The settings in a folder. */
export function demoSettings(folder: string, catalogIds: CatalogIds | null): Settings {
  return {
    mode: 'emulator',
    configPath: join(folder, 'meterctl.json'),
    stripe: { secretKey: 'sk_test_emulator', apiBase: null, webhookSecrets: [] },
    catalog: demoCatalog,
    catalogIds,
    databasePath: join(folder, 'meterctl.db'),
    emulatorDatabasePath: join(folder, 'emulator.db'),
    server: { host: '127.0.0.1', port: 0, publicUrl: null, upstream: null, adminToken: null, trustProxy: 0 },
    auth: { queryParameter: true, keyPrefix: 'mk', keyPepper: null },
    access: { pastDueGraceMs: 0 },
    delivery: { windowMs: 2_000, ratePerSecond: 20 },
    limits: {},
    alerts: { thresholds: [], url: null, secret: null, command: null },
    gateway: gatewaySettings(undefined),
    webhooks: { pollMs: 3_600_000 },
  };
}
