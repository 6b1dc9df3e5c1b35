import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { openDaemon, type TestDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';
import { openFailingStripe } from '../support/failing-stripe.js';
import { createTestFolder } from '../support/folder.js';

interface Shown {
  id: string;
  status: string;
  cancelled: string[];
  pending_units: number;
  subscription: { id: string; status: string; ends_at: string | null };
}

/** Whatever Stripe tells of a customer has his usage sent early, so nothing is used before all has been told. */
async function untilTold(daemon: TestDaemon, type: string): Promise<void> {
  await eventually(async () => {
    const { data } = await daemon.json<{ data: { type: string; state: string }[] }>('webhooks list');
    expect(data.map((message) => message.type)).toContain(type);
    expect(data.filter(({ state }) => state !== 'applied')).toEqual([]);
  });
}

/** A daemon with a customer who has called three times. */
async function setUp(config: Record<string, unknown> = {}) {
  const daemon = await openDaemon({ config });
  const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  await untilTold(daemon, 'customer.subscription.created');
  const { key } = await daemon.json<{ key: string }>(`keys create --customer ${id}`);
  const call = async () =>
    (await fetch(`${daemon.url}/api`, { headers: { authorization: `Bearer ${key}` } })).status;
  for (let count = 0; count < 3; count += 1) expect(await call()).toBe(200);
  return { daemon, customer: id, call };
}

/** What the customer is charged for in the end. */
async function billed(daemon: TestDaemon, customer: string): Promise<number> {
  daemon.emulator.advanceTo(daemon.emulator.nowMs() + 2 * 3_600_000);
  const { data } = await daemon.stripe.invoices.list({ customer });
  return data.reduce((sum, invoice) => sum + invoice.total, 0) / 100;
}

/** With such windows nothing is sent before it has to be. */
const unhurried = { delivery: { window: '1h' } };

describe('customers cancel', () => {
  it('ends access, then sends everything, then cancels with a final invoice', async () => {
    const { daemon, customer, call } = await setUp();
    const shown = await daemon.json<Shown>(`customers cancel ${customer} --yes`);
    expect(shown).toMatchObject({
      status: 'inactive',
      pending_units: 0,
      subscription: { status: 'canceled' },
    });
    expect(shown.cancelled).toEqual([shown.subscription.id]);
    expect(await call()).toBe(402);
    expect(await billed(daemon, customer)).toBe(3);
    const again = await daemon.run(`customers cancel ${customer} --yes`);
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining('no subscription left') });
    expect(await billed(daemon, customer)).toBe(3);
    // What comes in after the final invoice is closed would stand on none: it is kept and shown, not sent into the void.
    const atMs = Date.parse(shown.subscription.ends_at!) - 500;
    await daemon.json(`usage record --customer ${customer} --units 5 --at ${new Date(atMs).toISOString()}`);
    await eventually(async () =>
      expect(await daemon.json('outbox list --state refused')).toMatchObject({
        data: [{ units: 5, reason: expect.stringContaining('is final') }],
      }),
    );
  });

  it('cancels nothing while usage does not get through, and goes on when it is run again', async () => {
    const { daemon, customer, call } = await setUp(unhurried);
    const [meter] = (await daemon.stripe.billing.meters.list()).data;
    await daemon.stripe.billing.meters.deactivate(meter!.id);
    const refused = await daemon.run(`customers cancel ${customer} --wait 1s --yes --json`);
    expect(refused.code).toBe(7);
    expect(JSON.parse(refused.out)).toMatchObject({
      error: { code: 'unavailable', message: expect.stringContaining('does not have 3 units') },
    });
    expect(await call()).toBe(402);
    expect(await daemon.json(`customers show ${customer}`)).toMatchObject({
      status: 'closing',
      subscription: { status: 'active' },
    });
    await daemon.stripe.billing.meters.reactivate(meter!.id);
    const { data } = await daemon.json<{ data: { id: string }[] }>('outbox list --state refused');
    await daemon.run(`outbox retry ${data.map(({ id }) => id).join(' ')}`);
    await daemon.json(`customers cancel ${customer} --yes`);
    expect(await billed(daemon, customer)).toBe(3);
  });

  it('ends with 5 at once where the key may not send, and goes on when it may', async () => {
    const { run, json } = createCommandLine(createTestFolder());
    let status: number | undefined = 403;
    const env = { STRIPE_API_BASE: await openFailingStripe('/v1/billing/meter_events', () => status) };
    await json('init --yes', { env });
    const create = 'customers create --email ada@example.com --subscribe';
    const { id } = await json<{ id: string }>(create, { env });
    await json(`usage record --customer ${id} --units 3`, { env });
    const refused = await run(`customers cancel ${id} --yes --json`, { env });
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.out)).toMatchObject({
      error: { code: 'unauthorized', message: expect.stringContaining('Stripe refused the key') },
    });
    status = undefined;
    expect(await json(`customers cancel ${id} --yes`, { env })).toMatchObject({
      status: 'inactive',
      pending_units: 0,
    });
  });

  it('is given up by resume, and forced by --force', async () => {
    const { daemon, customer, call } = await setUp(unhurried);
    const [meter] = (await daemon.stripe.billing.meters.list()).data;
    await daemon.stripe.billing.meters.deactivate(meter!.id);
    expect((await daemon.run(`customers cancel ${customer} --wait 1s --yes`)).code).toBe(7);
    expect(await daemon.json(`customers resume ${customer}`)).toMatchObject({ status: 'active' });
    await eventually(async () => expect(await call()).toBe(200));
    const forced = await daemon.json<Shown>(`customers cancel ${customer} --wait 1s --force --yes`);
    expect(forced).toMatchObject({ status: 'inactive', pending_units: 4 });
  });

  it('at the end of the period leaves access until then, and bills it all', async () => {
    const { daemon, customer, call } = await setUp();
    const shown = await daemon.json<Shown>(`customers cancel ${customer} --at-period-end --yes`);
    expect(shown).toMatchObject({ status: 'active', cancelled: [shown.subscription.id] });
    const endsAtMs = Date.parse(shown.subscription.ends_at!);
    expect(endsAtMs).toBeGreaterThan(daemon.emulator.nowMs());
    expect(await call()).toBe(200);
    const again = await daemon.json<Shown>(`customers cancel ${customer} --at-period-end --yes`);
    expect(again.cancelled).toEqual([]);
    await eventually(async () =>
      expect(await daemon.json('outbox status')).toMatchObject({ pending: 0, claimed: 0 }),
    );
    daemon.emulator.advanceTo(endsAtMs);
    expect(await billed(daemon, customer)).toBe(4);
    await eventually(async () =>
      expect(await daemon.json(`customers show ${customer}`)).toMatchObject({ status: 'inactive' }),
    );
  });

  it('refuses what it cannot do', async () => {
    const { daemon, customer } = await setUp();
    expect((await daemon.run('customers cancel cus_other --yes')).code).toBe(4);
    expect((await daemon.run(`customers cancel ${customer} --wait 1mo --yes`)).code).toBe(2);
    expect((await daemon.run('customers cancel')).code).toBe(2);
    expect((await daemon.run('customers suspend cus_other --yes')).code).toBe(4);
    expect((await daemon.run('customers resume cus_other')).code).toBe(4);
  });
});

describe('a cancellation at Stripe', () => {
  it('ends access and sends what was used, at once', async () => {
    const { daemon, customer, call } = await setUp();
    const [subscription] = (await daemon.stripe.subscriptions.list({ customer })).data;
    await daemon.stripe.subscriptions.cancel(subscription!.id, { invoice_now: true });
    const cancelledAtMs = Date.now();
    await eventually(async () => expect(await call()).toBe(402));
    expect(Date.now() - cancelledAtMs).toBeLessThan(1_000);
    await eventually(async () =>
      expect(await daemon.json('outbox status')).toMatchObject({ pending: 0, claimed: 0 }),
    );
    // Everything from before the end is billed. What was served before the event arrived was used after the end.
    const { data } = await daemon.json<{ data: { reason: string }[] }>('outbox list --state refused');
    for (const { reason } of data) expect(reason).toContain('No subscription of the customer ran');
    expect(await billed(daemon, customer)).toBeGreaterThanOrEqual(3);
  });

  it('of a customer who was deleted ends access, and nothing fails for it', async () => {
    const { daemon, customer, call } = await setUp();
    await daemon.stripe.customers.del(customer);
    await eventually(async () => expect(await call()).toBe(402));
    expect(await daemon.json(`customers show ${customer}`)).toMatchObject({
      status: 'deleted',
      email: 'ada@example.com',
    });
    await eventually(async () =>
      expect(await daemon.json('webhooks list --state received')).toMatchObject({ data: [] }),
    );
    expect(await daemon.json('webhooks list --state failed')).toMatchObject({ data: [] });
  });
});

describe('suspension', () => {
  it('stops and resumes within a second in a running daemon', async () => {
    const { daemon, customer, call } = await setUp();
    const within = async (command: string, status: number) => {
      await daemon.json(command);
      const doneAtMs = Date.now();
      await eventually(async () => expect(await call()).toBe(status));
      expect(Date.now() - doneAtMs).toBeLessThan(1_000);
    };
    await within(`customers suspend ${customer} --yes`, 403);
    expect(await daemon.json(`customers show ${customer}`)).toMatchObject({
      status: 'suspended',
      suspended_at: expect.any(String),
    });
    await daemon.json(`customers sync ${customer}`);
    expect(await call()).toBe(403);
    await within(`customers resume ${customer}`, 200);
  });
});
