import { describe, expect, it } from 'vitest';
import type { NewWebhook } from '../../src/domain/webhook.js';
import { catchUp } from '../../src/webhooks/catch-up.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { newWebhook } from '../support/records.js';
import { openTestStore } from '../support/store.js';

const minute = 60_000;
const day = 86_400_000;

/** A Stripe that lists these events, and says since when it was asked. */
async function setUp(...listed: Partial<NewWebhook>[]) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const asked: number[] = [];
  const events = listed.map((event) => newWebhook({ source: 'poll', ...event }));
  const billing = {
    async listEvents(sinceMs: number) {
      asked.push(sinceMs);
      return events.filter(({ createdAtMs }) => createdAtMs >= sinceMs);
    },
    findMeterRejections: async () => undefined,
  };
  return { host, store, asked, events, run: () => catchUp({ store, billing, host }) };
}

describe('catching up', () => {
  it('reads all that Stripe remembers at first, and then from the youngest event on, with an overlap', async () => {
    const { run, asked, events } = await setUp({ id: 'evt_a', createdAtMs: testStartMs - 20 * day });
    expect(await run()).toEqual({ read: 1, missed: 1, forgotten: false });
    events.push(newWebhook({ id: 'evt_b', createdAtMs: testStartMs }));
    expect(await run()).toEqual({ read: 2, missed: 1, forgotten: false });
    expect(await run()).toEqual({ read: 1, missed: 0, forgotten: false });
    const overlap = 10 * minute;
    expect(asked).toEqual([0, testStartMs - 20 * day - overlap, testStartMs - overlap]);
  });

  it('does not store twice what came as a webhook', async () => {
    const { run, store } = await setUp({ id: 'evt_a' });
    await store.recordWebhook(newWebhook({ id: 'evt_a' }), 1);
    expect(await run()).toMatchObject({ read: 1, missed: 0 });
    expect(await store.findWebhook('evt_a')).toMatchObject({ source: 'webhook' });
  });

  it('skips nothing when the clock was ahead for a while', async () => {
    const { run, host, events } = await setUp({ id: 'evt_a', createdAtMs: testStartMs });
    host.jump(testStartMs + 400 * day);
    await run();
    host.jump(testStartMs + minute);
    events.push(newWebhook({ id: 'evt_b', createdAtMs: testStartMs + 1 }));
    expect(await run()).toMatchObject({ missed: 1 });
  });

  it('tells when Stripe may have forgotten something since the last time', async () => {
    const { run, host } = await setUp({ id: 'evt_a', createdAtMs: testStartMs });
    await run();
    host.jump(testStartMs + 29 * day);
    expect(await run()).toMatchObject({ forgotten: false });
    host.jump(testStartMs + 31 * day);
    expect(await run()).toMatchObject({ forgotten: true });
  });

  it('knows of the gap again when filling it has failed', async () => {
    const { run, host, store, events } = await setUp({ id: 'evt_a', createdAtMs: testStartMs });
    await run();
    host.jump(testStartMs + 31 * day);
    events.push(newWebhook({ id: 'evt_b', createdAtMs: testStartMs + 31 * day }));
    const billing = { listEvents: async () => events, findMeterRejections: async () => undefined };
    const fillGap = () => Promise.reject(new Error('down'));
    await expect(catchUp({ store, billing, host, fillGap })).rejects.toThrow('down');
    expect(await run()).toMatchObject({ forgotten: true });
    expect(await run()).toMatchObject({ forgotten: false });
  });

  it('keeps its place when Stripe cannot be asked', async () => {
    const { store, host } = await setUp();
    const down = {
      listEvents: () => Promise.reject(new Error('down')),
      findMeterRejections: async () => undefined,
    };
    await expect(catchUp({ store, host, billing: down })).rejects.toThrow('down');
    expect(await store.findMark('events_read_until')).toBeUndefined();
  });
});
