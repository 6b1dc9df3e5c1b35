/** The embedded Stripe in a folder of its own, and the real SDK's adapter on it. */

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Billing } from '../../src/domain/billing.js';
import { type Emulator, openEmulator } from '../../src/emulator/server.js';
import { createBilling } from '../../src/stripe/billing.js';
import { createTestFolder } from './folder.js';
import type { FakeHost } from './host.js';

/** Opens an empty account that is closed when the test has finished. */
export async function openTestEmulator(host: FakeHost): Promise<Emulator> {
  const emulator = await openEmulator({
    databasePath: join(createTestFolder(), 'emulator.db'),
    port: 0,
    host,
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** Stripe as meterctl sees it, at the emulator. */
export function createTestBilling(
  emulator: Emulator,
  host: FakeHost,
  meterId: string | null = null,
): Billing {
  return createBilling({ secretKey: 'sk_test_emulator', apiBase: emulator.url, meterId }, host.clock);
}
