/** What Prometheus is told: by the real daemon, about calls, the ledger, deliveries, webhooks and reconciliation. */

import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';
import { createProgram } from '../support/program.js';

const adminToken = 'the-operators-own-token';

async function openDaemon() {
  const program = createProgram(createTestFolder());
  await program.run(['init', '--yes']);
  const create = ['customers', 'create', '--email', 'ada@example.com', '--subscribe'];
  const { id } = await program.json<{ id: string }>(create);
  const { key } = await program.json<{ key: string }>(['keys', 'create', '--customer', id]);
  const { url } = await program.serve([], { env: { METERCTL_ADMIN_TOKEN: adminToken } });
  const scrape = async (headers: Record<string, string> = {}) => fetch(`${url}/metrics`, { headers });
  return { program, id, key, url, scrape };
}

/** The values by name and labels. */
async function valuesOf(answer: Response): Promise<Map<string, number>> {
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('/metrics', () => {
  it('counts calls, units, commits, deliveries and what Stripe answered', async () => {
    const { url, key, id, scrape } = await openDaemon();
    const call = (secret: string) => fetch(`${url}/api`, { headers: { Authorization: `Bearer ${secret}` } });
    for (let calls = 0; calls < 3; calls += 1) await (await call(key)).text();
    await call('mk_test_wrong');
    await fetch(`${url}/webhook`, { method: 'POST', body: '{}' });
    const values = await eventually(async () => {
      const answer = await scrape();
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; .*version=0\.0\.4/);
      const found = await valuesOf(answer);
      expect(found.get('meterctl_deliveries{state="delivered"}')).toBeGreaterThan(0);
      expect(found.get('meterctl_deliveries{state="pending"}')).toBe(0);
      // One that is on its way is no longer pending, but waits all the same.
      expect(found.get('meterctl_oldest_pending_seconds')).toBe(0);
      expect(found.has('meterctl_reconcile_age_seconds')).toBe(true);
      return found;
    });
    expect(Object.fromEntries(values)).toMatchObject({
      'meterctl_paid_calls_total{outcome="ok"}': 3,
      'meterctl_paid_calls_total{outcome="invalid_api_key"}': 1,
      meterctl_units_recorded_total: 3,
      meterctl_ledger_batch_size_sum: 3,
      meterctl_ledger_commit_failures_total: 0,
      meterctl_ledger_queue_length: 0,
      meterctl_courier_stopped: 0,
      meterctl_reconcile_drift_units: 0,
      'meterctl_webhooks_received_total{receipt="unsigned"}': 1,
    });
    expect(values.get('meterctl_meter_events_sent_total{outcome="accepted"}')).toBeGreaterThan(0);
    const text = await (await scrape()).text();
    expect(text).not.toContain(id);
    expect(text).not.toContain(key);
    const unnamed = [...values.keys()].filter((name) => !name.startsWith('meterctl_'));
    expect(unnamed).toEqual([]);
  });

  it('is for this machine, or for the admin token; /readyz tells of the last reconciliation', async () => {
    const { scrape, url } = await openDaemon();
    expect((await scrape()).status).toBe(200);
    const proxied = { 'X-Forwarded-For': '203.0.113.7' };
    const refused = await scrape(proxied);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'forbidden' });
    expect((await scrape({ Forwarded: 'for=127.0.0.1' })).status).toBe(403);
    expect((await scrape({ ...proxied, Authorization: 'Bearer wrong' })).status).toBe(403);
    expect((await scrape({ ...proxied, Authorization: `Bearer ${adminToken}` })).status).toBe(200);
    const reconciliation = await eventually(async () => {
      const { details } = (await (await fetch(`${url}/readyz`)).json()) as {
        details: { reconciliation: unknown };
      };
      expect(details.reconciliation).not.toBeNull();
      return details.reconciliation;
    });
    expect(reconciliation).toEqual({
      ...{ at: expect.any(String), checked: 1, drift: {}, drift_units: 0, repaired: 0 },
    });
  });
});
