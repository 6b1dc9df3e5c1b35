/** `meterctl reconcile` on a folder with real files, and drift that somebody else's event makes. */

import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmulator } from '../../src/emulator/server.js';
import { createHost } from '../../src/host.js';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

interface Reconciled {
  checked: number;
  drift: {
    cause: string;
    customer: string;
    ledger: number;
    stripe: number;
    difference: number;
    from: string;
  }[];
  repaired: number;
}

/** A folder in which a customer has used 5 units, all of them delivered. */
async function setUp() {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  await line.json('init --yes');
  const { id } = await line.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  await line.json(`usage record --customer ${id} --units 5`);
  await line.json('serve --port 0');
  return { ...line, folder, customer: id };
}

async function sendForeign(folder: string, customer: string, value: string): Promise<void> {
  const databasePath = join(folder, '.meterctl', 'emulator.db');
  const emulator = await openEmulator({ databasePath, port: 0, host: createHost(createFakeHost().log) });
  onTestFinished(() => emulator.close());
  await createTestStripe(emulator, 'sk_test_emulator').billing.meterEvents.create({
    event_name: 'my_api_calls',
    payload: { stripe_customer_id: customer, value },
  });
}

describe('reconcile', () => {
  it('ends with 0 where all agrees, and with 3 where something differs', async () => {
    const { json, run, folder, customer } = await setUp();
    expect(await json('reconcile')).toMatchObject({ checked: 1, drift: [], repaired: 0 });
    expect((await run('reconcile')).out).toContain('Ledger, deliveries and Stripe agree for 1 customer from');
    await sendForeign(folder, customer, '2');
    const { code, out } = await run('reconcile --json --repair');
    expect(code).toBe(3);
    const found = JSON.parse(out) as Reconciled;
    expect(found.repaired).toBe(0);
    expect(found.drift).toHaveLength(1);
    expect(found.drift[0]).toMatchObject({ customer, cause: 'more_at_stripe', difference: -2 });
    const seen = await run('reconcile', { tty: true, columns: 160 });
    expect(seen.code).toBe(3);
    expect(seen.out).toMatch(/-2 +more at Stripe/);
    expect(seen.out).toContain('Somebody else sends events');
    expect(seen.err).toContain('of 1 customers');
    expect((await run('reconcile')).err).toBe('');
    expect((await run('reconcile --from 30d --to 1h')).code).toBe(0);
    expect((await run(`reconcile --customer ${customer}`)).code).toBe(3);
  });

  it.each([
    ['--customer cus_none', 4, 'no customer cus_none'],
    ['--from 1h --to 2h', 2, 'nothing to compare'],
    ['--from never', 2, 'It must be a time'],
  ])('refuses %s', async (flags, code, message) => {
    const { run } = await setUp();
    const result = await run(`reconcile ${flags}`);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });

  it('tells what a cancellation without an invoice has left unbilled, and what can be done', async () => {
    const { run, json, folder, customer } = await setUp();
    await json('emulator advance 1h');
    const databasePath = join(folder, '.meterctl', 'emulator.db');
    const emulator = await openEmulator({ databasePath, port: 0, host: createHost(createFakeHost().log) });
    const stripe = createTestStripe(emulator, 'sk_test_emulator');
    const [subscription] = (await stripe.subscriptions.list({ customer })).data;
    await stripe.subscriptions.cancel(subscription!.id);
    await emulator.close();
    await json('customers sync');
    await json('emulator advance 3h');
    const { code, out } = await run('reconcile --json');
    expect(code).toBe(3);
    const lost = { customer, cause: 'not_invoiced', ledger: 5, stripe: 0, difference: 5 };
    expect(JSON.parse(out)).toMatchObject({ drift: [lost] });
    expect((await run('reconcile')).out).toContain('Put it on an invoice by hand');
    // What comes late is not sent: it is refused, with the reason, and can be written off.
    const atMs = Date.parse((JSON.parse(out) as Reconciled).drift[0]!.from) + 1_000;
    const late = `usage record --customer ${customer} --units 2 --at ${new Date(atMs).toISOString()}`;
    const { id } = await json<{ id: number }>(late);
    await json('serve --port 0');
    const refused = { units: 2, reason: expect.stringContaining('without an invoice') };
    expect(await json('outbox list --state refused')).toMatchObject({ data: [refused] });
    await json(['usage', 'void', String(id), '--reason', 'written off', '--yes']);
    expect(await json('outbox list --state refused')).toMatchObject({ data: [] });
  });

  it('says when Stripe cannot be reached', async () => {
    const { run } = await setUp();
    await run('emulator fault --outage 1h');
    const { code, err } = await run('reconcile');
    expect(code).toBe(7);
    expect(err).toContain('could not be reached');
  });
});
