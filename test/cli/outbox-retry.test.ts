import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmulator } from '../../src/emulator/server.js';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { createCommandLine } from '../support/command-line.js';
import { fetchListener } from '../support/fetch-server.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

interface Outcome {
  data: { id: string; retried: boolean; state: string | null; reason: string | null }[];
  outbox: { pending: number; delivered: number; refused: number };
}

/** A customer who has used something that is not sent yet. */
async function withUsage() {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  const { meter } = await line.json<{ meter: { id: string } }>([
    ...['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05'],
  ]);
  const { id: customer } = await line.json<{ id: string }>(
    'customers create --email ada@example.com --subscribe',
  );
  await line.json(`usage record --customer ${customer} --units 7`);
  const listed = await line.json<{ data: { id: string }[] }>('outbox list');
  return { ...line, folder, customer, meterId: meter.id, id: listed.data[0]?.id ?? '' };
}

/** Switches the meter off or on behind the back of meterctl, as in the Dashboard. */
async function switchMeter(folder: string, meterId: string, to: 'deactivate' | 'reactivate'): Promise<void> {
  const databasePath = join(folder, '.meterctl', 'emulator.db');
  expect(readFileSync(databasePath).length).toBeGreaterThan(0);
  const emulator = await openEmulator({ databasePath, port: 0, host: createFakeHost({ nowMs: Date.now() }) });
  await createTestStripe(emulator).billing.meters[to](meterId);
  await emulator.close();
}

/** An embedded Stripe whose key may not do one thing. Returns where it listens. */
async function openRestricted(path: string): Promise<string> {
  const databasePath = join(createTestFolder(), 'emulator.db');
  const emulator = await openEmulator({ databasePath, port: 0, host: createFakeHost({ nowMs: Date.now() }) });
  onTestFinished(() => emulator.close());
  const server = createServer(
    fetchListener(async (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === path)
        return Response.json({ error: { type: 'invalid_request_error', message: 'No.' } }, { status: 403 });
      const { method, headers } = request;
      const body = method === 'GET' ? null : await request.text();
      headers.delete('connection');
      return fetch(`${emulator.url}${pathname}${search}`, { method, headers, body });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // A TCP server's address is never a pipe's.
  return `http://127.0.0.1:${port}`;
}

describe('outbox retry', () => {
  it('sends all that is pending now, also what still gathers usage', async () => {
    const { json, run } = await withUsage();
    expect((await json<Outcome>('outbox retry')).outbox).toMatchObject({ pending: 0, delivered: 1 });
    expect((await run('outbox retry')).out).toBe('Nothing is pending.\n');
  });

  it('shows why Stripe refused, and sends again once that is mended', async () => {
    const { json, run, folder, meterId, id } = await withUsage();
    await switchMeter(folder, meterId, 'deactivate');
    expect((await run('outbox retry')).out).toBe('0 delivered, 1 refused, 0 uncertain, 0 still pending.\n');
    const refused = await json<{ data: object[] }>('outbox list --state refused');
    expect(refused.data).toMatchObject([
      { id, state: 'refused', reason: expect.stringContaining('No active meter') },
    ]);
    expect((await json<Outcome>('outbox retry')).outbox, 'only what is named').toMatchObject({ refused: 1 });
    expect((await json<Outcome>(`outbox retry ${id}`)).data).toMatchObject([
      { id, retried: true, state: 'refused' },
    ]);
    await switchMeter(folder, meterId, 'reactivate');
    expect(await json<Outcome>(`outbox retry ${id}`)).toMatchObject({
      data: [{ id, retried: true, state: 'delivered', reason: null }],
      outbox: { delivered: 1, refused: 0 },
    });
  });

  it('ends with 5 where the key may not send, and keeps what was to be sent', async () => {
    const { json, run } = createCommandLine(createTestFolder());
    const env = { STRIPE_API_BASE: await openRestricted('/v1/billing/meter_events') };
    await json('init --yes', { env });
    const create = 'customers create --email ada@example.com --subscribe';
    const { id: customer } = await json<{ id: string }>(create, { env });
    await json(`usage record --customer ${customer} --units 7`, { env });
    const { code, out, err } = await run('outbox retry --json', { env });
    expect(err).toContain('Not all could be sent');
    expect(code).toBe(5);
    expect(JSON.parse(out)).toMatchObject({ outbox: { pending: 1, delivered: 0, refused: 0 } });
  });

  it('says of each delivery why it is not sent again', async () => {
    const { run, json, id } = await withUsage();
    await json('outbox retry');
    const { code, out } = await run(`outbox retry ${id} dlv_none`);
    expect(code).toBe(4);
    expect(out).toContain('Stripe has it already.');
    expect(out).toContain('There is no such delivery.');
  });
});
