import { describe, expect, it } from 'vitest';
import type { AlertMessage } from '../../src/alerts/alert-message.js';
import { createAlerter } from '../../src/alerts/alerter.js';
import type { AlertSink, Crossing } from '../../src/domain/alert.js';
import { eventually } from '../support/eventually.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const crossing: Crossing = {
  ...{ customerId: 'cus_1', meter: 'calls', limit: 'spend_cap', threshold: 80, used: 4_000, allowed: 5_000 },
  window: { startMs: testStartMs, endMs: testStartMs + 1_000 },
};

async function openAlerter(sinkNames: AlertSink[] = ['webhook']) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  await addSubscriber(store, host);
  const taken: { sink: AlertSink; id: string; message: AlertMessage }[] = [];
  const broken = new Set<AlertSink>();
  const sinks = new Map(
    sinkNames.map((sink) => [
      sink,
      async (id: string, message: AlertMessage) => {
        if (broken.has(sink)) throw new Error('nobody there');
        taken.push({ sink, id, message });
      },
    ]),
  );
  const make = () => createAlerter({ store, host, clock: host.clock, currency: 'usd', sinks });
  async function sends() {
    return (await store.listAlerts({}, { limit: 9 })).data.flatMap((alert) => alert.sends);
  }
  return { host, store, taken, broken, alerter: make(), make, sends };
}

describe('alerts', () => {
  it('are told once to each place, however often they are noticed', async () => {
    const { alerter, make, taken } = await openAlerter(['webhook', 'command']);
    alerter.note(crossing);
    alerter.note({ ...crossing, used: 4_100 });
    await alerter.tick();
    alerter.note(crossing);
    await alerter.tick();
    const restarted = make();
    restarted.note(crossing);
    await restarted.tick();
    expect(taken.map(({ sink }) => sink).sort()).toEqual(['command', 'webhook']);
    expect(taken[0]?.message).toEqual({
      type: 'limit.threshold_reached',
      timestamp: '2026-11-10T12:00:00Z',
      data: {
        ...{ id: taken[0]?.id, customer: 'cus_1', meter: 'calls', limit: 'spend_cap', threshold: 80 },
        ...{ used: '40.00', allowed: '50.00', currency: 'usd' },
        period: { start: '2026-11-10T12:00:00Z', end: '2026-11-10T12:00:01Z' },
      },
    });
  });

  it('are told again for another window, threshold, or limit', async () => {
    const { alerter, taken } = await openAlerter();
    alerter.note(crossing);
    alerter.note({ ...crossing, threshold: 100 });
    alerter.note({ ...crossing, allowed: 6_000 });
    alerter.note({ ...crossing, window: { startMs: testStartMs + 1_000, endMs: testStartMs + 2_000 } });
    alerter.note({ ...crossing, limit: 'prepaid_units', window: { startMs: testStartMs, endMs: null } });
    await alerter.tick();
    expect(taken).toHaveLength(5);
    expect(taken.at(-1)?.message.data).toMatchObject({ used: 4_000, currency: null, period: { end: null } });
  });

  it('are tried again with growing pauses until they are taken', async () => {
    const { alerter, host, taken, broken, sends } = await openAlerter();
    broken.add('webhook');
    alerter.note(crossing);
    await alerter.tick();
    expect(await sends()).toMatchObject([
      { state: 'pending', attempts: 1, nextAttemptAtMs: testStartMs + 5_000, reason: 'nobody there' },
    ]);
    await host.advance(4_999);
    await alerter.tick();
    expect(await sends()).toMatchObject([{ attempts: 1 }]);
    await host.advance(1);
    await alerter.tick();
    expect(await sends()).toMatchObject([{ attempts: 2, nextAttemptAtMs: testStartMs + 305_000 }]);
    broken.clear();
    await host.advance(300_000);
    await alerter.tick();
    await host.advance(86_400_000);
    await alerter.tick();
    expect(await sends()).toEqual([expect.objectContaining({ state: 'sent', attempts: 3, reason: null })]);
    expect(taken).toHaveLength(1);
  });

  it('are given up after some days, and one place does not hold up the other', async () => {
    const { alerter, host, taken, broken, sends } = await openAlerter(['webhook', 'command']);
    broken.add('webhook');
    alerter.note(crossing);
    for (let day = 0; day < 10; day += 1) {
      await alerter.tick();
      await host.advance(86_400_000);
    }
    expect(await sends()).toMatchObject([
      { sink: 'command', state: 'sent', attempts: 1 },
      { sink: 'webhook', state: 'failed', attempts: 10 },
    ]);
    expect(taken.map(({ sink }) => sink)).toEqual(['command']);
  });

  it('are left alone while another process sends them, and taken over when that has crashed', async () => {
    const { alerter, host, store, taken } = await openAlerter();
    await store.recordAlerts(
      [{ ...crossing, id: 'alt_1', raisedAtMs: testStartMs }],
      ['webhook'],
      testStartMs,
    );
    const claim = { nowMs: testStartMs, leaseUntilMs: testStartMs + 60_000, limit: 10 };
    expect(await store.claimAlerts(claim)).toMatchObject([{ alert: { id: 'alt_1' }, attempts: 1 }]);
    await alerter.tick();
    expect(taken).toEqual([]);
    await host.advance(60_000);
    await alerter.tick();
    expect(taken).toMatchObject([{ id: 'alt_1' }]);
  });

  it('do not keep the daemon from stopping, and are sent by the next one', async () => {
    const host = createFakeHost();
    const store = await openTestStore(host);
    await addSubscriber(store, host);
    let asked = 0;
    const silent = (_id: string, _message: AlertMessage, closing?: AbortSignal) =>
      new Promise<void>((_, reject) => {
        asked += 1;
        closing?.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const sinks = new Map([['webhook' as const, silent]]);
    const alerter = createAlerter({ store, host, clock: host.clock, currency: 'usd', sinks });
    alerter.note(crossing);
    alerter.start();
    await eventually(async () => expect(asked).toBe(1));
    await alerter.close();
    const { data } = await store.listAlerts({}, { limit: 9 });
    expect(data[0]?.sends).toMatchObject([{ state: 'pending', attempts: 1, reason: 'stopped' }]);
  });

  it('are not remembered without a bound', async () => {
    const { alerter } = await openAlerter([]);
    const allowed = Array.from({ length: 10_000 }, (_, index) => index + 1);
    expect(allowed.every((units) => alerter.note({ ...crossing, allowed: units }))).toBe(true);
    expect(alerter.note({ ...crossing, allowed: 1 })).toBe(true);
    expect(alerter.note({ ...crossing, allowed: 10_001 })).toBe(false);
    await alerter.tick();
    expect(alerter.note({ ...crossing, allowed: 10_001 })).toBe(true);
  });

  it('are kept where there is nobody to tell', async () => {
    const { alerter, store } = await openAlerter([]);
    alerter.note(crossing);
    await alerter.tick();
    expect((await store.listAlerts({ customerId: 'cus_1' }, { limit: 9 })).data).toMatchObject([
      { threshold: 80, sends: [] },
    ]);
    expect((await store.listAlerts({ customerId: 'cus_2' }, { limit: 9 })).data).toEqual([]);
  });
});
