import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEmulator } from '../../src/emulator/server.js';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { createCommandLine } from '../support/command-line.js';
import { openFailingStripe } from '../support/failing-stripe.js';
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

/** Customers of a Stripe that fails for some, who have each used something that is not sent yet. */
async function withFailing(
  count: number,
  statusOf: (body: string, customers: string[]) => number | undefined,
) {
  const { json, run } = createCommandLine(createTestFolder());
  const customers: string[] = [];
  const env = {
    STRIPE_API_BASE: await openFailingStripe('/v1/billing/meter_events', (body) => statusOf(body, customers)),
  };
  await json('init --yes', { env });
  for (let n = 0; n < count; n += 1) {
    const create = `customers create --email ada${n}@example.com --subscribe`;
    const { id } = await json<{ id: string }>(create, { env });
    customers.push(id);
    await json(`usage record --customer ${id} --units 7`, { env });
  }
  return { run: (line: string) => run(line, { env }), customers };
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

  it.each([
    [5, 'the key may not send', 403],
    [7, 'Stripe is down', 503],
    [7, 'Stripe wants a pause', 429],
  ])('ends with %i where %s, and keeps what was to be sent', async (exit, _, status) => {
    const { run } = await withFailing(1, () => status);
    const { code, out, err } = await run('outbox retry --json');
    expect(err).toContain('Not all could be sent');
    expect(code).toBe(exit);
    expect(JSON.parse(out)).toMatchObject({ outbox: { pending: 1, delivered: 0, refused: 0 } });
  });

  it('ends with 7 where Stripe took some only, whatever was named', async () => {
    const { run } = await withFailing(2, (body, [failing = '']) =>
      body.includes(failing) ? 503 : undefined,
    );
    const all = await run('outbox retry --json');
    expect(all).toMatchObject({ code: 7, err: expect.stringContaining('Stripe answered 503') });
    expect(JSON.parse(all.out)).toMatchObject({ outbox: { pending: 1, delivered: 1 } });
    const { data } = JSON.parse((await run('outbox list --json')).out) as Outcome;
    const { id } = data.find(({ state }) => state === 'pending')!;
    expect(await run(`outbox retry ${id}`)).toMatchObject({ code: 7 });
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
