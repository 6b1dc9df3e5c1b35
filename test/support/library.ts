/** meterctl as a program imports it, on a Stripe of the test's own, with a customer who has a key. */

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { createHost } from '../../src/host.js';
import { type Meterctl, type MeterctlOptions, meterctl } from '../../src/meterctl.js';
import { openTestEmulator } from '../emulator/open-test-emulator.js';
import { createCommandLine } from './command-line.js';
import { createTestFolder } from './folder.js';
import { createFakeHost } from './host.js';

/** The program's side and the seller's side. */
export interface TestShop {
  shop: Meterctl;
  folder: string;
  env: Record<string, string>;
  key: string;
  customerId: string;
  keyId: string;
  /** Everything of level warn and above. */
  logged: { message: string; fields: Record<string, unknown> }[];
  /** Opens another one on the same database, as another process would. */
  open(options?: MeterctlOptions): Promise<Meterctl>;
  /** Runs a command beside it. */
  json<T>(line: string): Promise<T>;
  /** Everything in the ledger. */
  usage(): Promise<{ units: number; requests: number }>;
}

/** Opens one that sells calls at one dollar. `settings` are put over meterctl.json. */
export async function openShop(
  settings: Record<string, unknown> = {},
  options: MeterctlOptions = {},
): Promise<TestShop> {
  const folder = createTestFolder();
  const logged: TestShop['logged'] = [];
  const write = (message: string, fields: Record<string, unknown> = {}) =>
    void logged.push({ message, fields });
  const log = { debug: () => undefined, info: () => undefined, warn: write, error: write };
  const fakeHost = { ...createFakeHost(), ...createHost(log), advance: sleep, jump: () => undefined };
  const { emulator } = await openTestEmulator({ fakeHost });
  const env = { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_API_BASE: emulator.url };
  const { json } = createCommandLine(folder);
  const run = <T>(line: string | string[]) => json<T>(line, { env });
  await run(['init', '--product', 'Fire API', '--unit', 'call', '--price', '1.00']);
  const configPath = join(folder, 'meterctl.json');
  const written = JSON.parse(readFileSync(configPath, 'utf8')) as Record<string, unknown>;
  writeFileSync(configPath, JSON.stringify({ ...written, ...settings }));
  const customer = await run<{ id: string }>('customers create --email ada@example.com --subscribe');
  const { id, key } = await run<{ id: string; key: string }>(`keys create --customer ${customer.id}`);
  async function open(more: MeterctlOptions = {}): Promise<Meterctl> {
    const shop = await meterctl({ folder, env, log, ...more });
    onTestFinished(() => shop.close());
    return shop;
  }
  return {
    ...{ folder, env, key, keyId: id, logged, open },
    shop: await open(options),
    customerId: customer.id,
    json: run,
    async usage() {
      const { total } = await run<{ total: { units: number; requests: number } }>('usage');
      return { units: total.units, requests: total.requests };
    },
  };
}

/** Serves until the test has finished. Returns the URL. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // A server that listens on a port has an address with it.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
