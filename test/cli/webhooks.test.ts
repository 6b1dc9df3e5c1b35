import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { openFailingStripe } from '../support/failing-stripe.js';
import { createTestFolder } from '../support/folder.js';

interface Row {
  id: string;
  type: string;
  state: string;
}

async function ready() {
  const line = createCommandLine(createTestFolder());
  await line.json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  return line;
}

describe('webhooks', () => {
  it('are pulled from Stripe, applied, listed in pages, shown and replayed', async () => {
    const { json, run } = await ready();
    await json('customers create --email ada@example.com --subscribe');
    const synced = await json<{ read: number; missed: number }>('webhooks sync');
    expect(synced).toMatchObject({ applied: synced.missed, postponed: 0 });
    expect(synced.missed).toBeGreaterThan(0);
    expect(await json('webhooks sync')).toEqual({ read: synced.read, missed: 0, applied: 0, postponed: 0 });
    const page = await json<{ data: Row[]; next_cursor: string | null }>(
      'webhooks list --state applied --limit 1',
    );
    expect(page.data).toHaveLength(1);
    const [first] = page.data;
    const shown = await json<Row & { body: object }>(`webhooks show ${first!.id}`);
    expect(shown).toMatchObject({ ...first, source: 'poll', body: { id: first!.id, object: 'event' } });
    expect(await json(`webhooks replay ${first!.id}`)).toMatchObject({ state: 'applied' });
    expect((await run(`webhooks show ${first!.id}`)).out).toContain('"object": "event"');
    expect((await run('webhooks list')).out).toContain('customer.subscription.created');
  });

  it('are pulled although the key may not read the thin ones, and that is told', async () => {
    const { json, run } = createCommandLine(createTestFolder());
    const env = { STRIPE_API_BASE: await openFailingStripe('/v2/core/events', () => 403) };
    await json('init --yes', { env });
    await json('customers create --email ada@example.com --subscribe', { env });
    const { code, out, err } = await run('webhooks sync --json', { env });
    expect(code).toBe(0);
    expect(JSON.parse(out).missed).toBeGreaterThan(0);
    expect(err).toContain('rak_event_read');
  });

  it('bring a customer here who was subscribed elsewhere, and leave others alone', async () => {
    const { json, run } = await ready();
    const other = createCommandLine(createTestFolder());
    expect((await other.run('webhooks sync')).code).toBe(2);
    expect(await json('webhooks list')).toEqual({ data: [], next_cursor: null });
    expect((await run('webhooks show evt_other')).code).toBe(4);
    expect((await run('webhooks replay evt_other')).code).toBe(4);
    expect((await run('webhooks list --state lost')).code).toBe(2);
    expect((await run('webhooks show cus_1')).code).toBe(2);
  });
});
