/** The whole daemon inside the test, on a Stripe of the test's own that can be looked into, changed and broken. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type Stripe from 'stripe';
import { onTestFinished } from 'vitest';
import { resolveSettings } from '../../src/config/resolve-settings.js';
import { gatherSources } from '../../src/config/sources.js';
import { openApp } from '../../src/daemon.js';
import type { Emulator } from '../../src/emulator/server.js';
import { createHost } from '../../src/host.js';
import type { Host } from '../../src/lib/host.js';
import { createTestStripe, openTestEmulator } from '../emulator/open-test-emulator.js';
import { type CommandOptions, type CommandRun, createCommandLine } from './command-line.js';
import { createTestFolder } from './folder.js';
import { createFakeHost } from './host.js';

/** What its webhooks are signed with. */
export const webhookSecret = 'whsec_daemon';

/** A running daemon and the Stripe that it talks to. */
export interface TestDaemon {
  url: string;
  databasePath: string;
  stripe: Stripe;
  emulator: Emulator;
  /** Everything that was logged, oldest first. */
  logged: { message: string; fields: Record<string, unknown> }[];
  /** Runs a command beside the daemon. */
  run(line: string, options?: CommandOptions): Promise<CommandRun>;
  json<T>(line: string): Promise<T>;
  /** Starts one more on the same database. Returns its URL. */
  openSecond(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts one that sells calls at one dollar. Without `webhooks` nothing that happens at Stripe is told; `config` is put over
 * meterctl.json.
 */
export async function openDaemon(
  options: { webhooks?: boolean; config?: Record<string, unknown> } = {},
): Promise<TestDaemon> {
  const folder = createTestFolder();
  const logged: TestDaemon['logged'] = [];
  const machine = createHost(createLog(logged));
  const { emulator } = await openTestEmulator({ fakeHost: realTime(machine) });
  const env = {
    STRIPE_SECRET_KEY: 'sk_test_x',
    STRIPE_API_BASE: emulator.url,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
  };
  const { run, json } = createCommandLine(folder);
  await json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '1.00'], { env });
  const configPath = join(folder, 'meterctl.json');
  const written = JSON.parse(readFileSync(configPath, 'utf8')) as Record<string, unknown>;
  writeFileSync(configPath, JSON.stringify({ ...written, ...options.config }));
  const settings = resolveSettings(gatherSources({ folder, env, flags: { port: '0' } }), folder);
  const open = async () => {
    const app = await openApp(settings, machine);
    onTestFinished(() => app.stop());
    return { app, url: (await app.start()).url };
  };
  const { app, url } = await open();
  if (options.webhooks !== false) emulator.forwardTo({ url: `${url}/webhook`, secret: webhookSecret });
  return {
    ...{ url, emulator, logged, databasePath: settings.databasePath },
    stripe: createTestStripe(emulator),
    run: (line, more) => run(line, { env, ...more }),
    json: (line) => json(line, { env }),
    openSecond: async () => (await open()).url,
    stop: () => app.stop(),
  };
}

function createLog(lines: TestDaemon['logged']): Host['log'] {
  const write = (message: string, fields: Record<string, unknown> = {}) =>
    void lines.push({ message, fields });
  return { debug: () => undefined, info: () => undefined, warn: write, error: write };
}

/** The emulator's tests bring a fake machine; this one runs on the real clock. */
function realTime(machine: Host): ReturnType<typeof createFakeHost> {
  const advance = (ms: number) => sleep(ms);
  return { ...createFakeHost(), ...machine, advance, jump: () => undefined };
}
