import { describe, expect, it } from 'vitest';
import type { EventsAsked } from '../../src/domain/billing.js';
import { MeterctlError } from '../../src/domain/error.js';
import type { NewWebhook, WebhookKind } from '../../src/domain/webhook.js';
import { catchUp, createThinNotice } from '../../src/webhooks/catch-up.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { newWebhook } from '../support/records.js';
import { openTestStore } from '../support/store.js';

const minute = 60_000;
const day = 86_400_000;

/** A Stripe that lists these events by so many on a page, newest first, and says since when it was asked. */
async function setUp(...listed: Partial<NewWebhook>[]) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const asked: EventsAsked[] = [];
  const events = listed.map((event) => newWebhook({ source: 'poll', ...event }));
  const troubles: unknown[] = [];
  const stripe = { pageMax: 100 };
  const billing = {
    async listEvents(order: EventsAsked) {
      asked.push(order);
      const { kind, sinceMs, cursor } = order;
      const trouble = cursor === undefined ? undefined : troubles.shift();
      if (trouble) throw trouble;
      const all = events
        .filter((event) => event.kind === kind && event.createdAtMs >= sinceMs)
        .sort((a, b) => b.createdAtMs - a.createdAtMs);
      const first = Number(cursor ?? 0);
      const next = first + stripe.pageMax;
      return { data: all.slice(first, next), nextCursor: next < all.length ? String(next) : null };
    },
    findMeterRejections: async () => undefined,
  };
  const askedFor = (kind: WebhookKind) =>
    asked.filter((order) => order.kind === kind).map(({ sinceMs }) => sinceMs);
  const run = () => catchUp({ store, billing, host });
  return { host, store, asked, askedFor, events, troubles, stripe, billing, run };
}

/** Events a minute apart, the oldest first. */
const series = (count: number, fields: Partial<NewWebhook> = {}): Partial<NewWebhook>[] =>
  Array.from({ length: count }, (_, index) => ({
    ...fields,
    id: `evt_${index}`,
    createdAtMs: testStartMs + index * minute,
  }));

describe('catching up', () => {
  it('reads all that Stripe remembers at first, and then from the youngest event on, with an overlap', async () => {
    const { run, askedFor, events } = await setUp({ id: 'evt_a', createdAtMs: testStartMs - 20 * day });
    expect(await run()).toEqual({ read: 1, missed: 1, forgotten: false, thinRefusal: null });
    events.push(newWebhook({ id: 'evt_b', createdAtMs: testStartMs }));
    expect(await run()).toMatchObject({ read: 2, missed: 1, forgotten: false });
    expect(await run()).toMatchObject({ read: 1, missed: 0, forgotten: false });
    const overlap = 10 * minute;
    expect(askedFor('snapshot')).toEqual([0, testStartMs - 20 * day - overlap, testStartMs - overlap]);
  });

  it('has read nothing, and forgotten nothing, where nothing has happened yet', async () => {
    const { run, askedFor } = await setUp();
    for (const _ of [1, 2]) expect(await run()).toMatchObject({ read: 0, missed: 0, forgotten: false });
    expect(askedFor('snapshot')).toEqual([0, 0]);
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
    host.jump(testStartMs + 60 * day);
    expect(await run()).toMatchObject({ forgotten: true });
  });

  it('tells of a long absence from an account in which nothing had happened, and of no long silence', async () => {
    const { run, host, events } = await setUp();
    await run();
    host.jump(testStartMs + 31 * day);
    expect(await run()).toMatchObject({ forgotten: true });
    events.push(newWebhook({ id: 'evt_a', createdAtMs: testStartMs + 31 * day }));
    for (let days = 40; days < 80; days += 10) {
      host.jump(testStartMs + days * day);
      expect(await run()).toMatchObject({ forgotten: false });
    }
  });

  it('knows of the gap again when filling it has failed', async () => {
    const { run, host, store, events, billing } = await setUp({ id: 'evt_a', createdAtMs: testStartMs });
    await run();
    host.jump(testStartMs + 31 * day);
    events.push(newWebhook({ id: 'evt_b', createdAtMs: testStartMs + 31 * day }));
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

  it('stores page by page, and begins anew where it began when it is ended on the way', async () => {
    const { run, store, stripe, troubles, asked } = await setUp(...series(10));
    stripe.pageMax = 4;
    troubles.push(undefined, new Error('killed'));
    await expect(run()).rejects.toThrow('killed');
    expect(await store.findWebhook('evt_2')).toBeDefined();
    expect(await store.findWebhook('evt_1')).toBeUndefined();
    expect(await store.findMark('events_read_until')).toBeUndefined();
    asked.length = 0;
    expect(await run()).toMatchObject({ read: 10, missed: 2 });
    expect(asked[0]).toMatchObject({ sinceMs: 0 });
    expect(await store.findMark('events_read_until')).toBe(String(testStartMs + 9 * minute));
  });

  it('lets other work in between two events, of which each is a commit of its own', async () => {
    const { run } = await setUp(...series(20));
    let [turns, ended] = [0, false];
    const turn = () => {
      turns += 1;
      if (!ended) setImmediate(turn);
    };
    turn();
    await run();
    ended = true;
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  it('asks for a page again that was refused on the way', async () => {
    const { run, host, stripe, troubles } = await setUp(...series(10));
    stripe.pageMax = 3;
    const busy = new MeterctlError('unavailable', 'Too many requests.');
    troubles.push(busy, busy, undefined, busy);
    const running = run();
    for (let seconds = 0; seconds < 30; seconds += 1) await host.advance(1_000);
    expect(await running).toMatchObject({ read: 10, missed: 10 });
  });

  it('reads thin events from a place of their own, which the others do not move', async () => {
    const { run, askedFor, events } = await setUp({ id: 'evt_a', createdAtMs: testStartMs });
    await run();
    await run();
    events.push(newWebhook({ id: 'evt_thin', kind: 'thin', createdAtMs: testStartMs - day }));
    expect(await run()).toMatchObject({ missed: 1 });
    await run();
    expect(askedFor('thin')).toEqual([0, 0, 0, testStartMs - day - 10 * minute]);
  });

  it('reads the others where the key may not read thin events, and tells of that once', async () => {
    const { run, billing, host } = await setUp({ id: 'evt_a', createdAtMs: testStartMs });
    const { listEvents } = billing;
    const refusal = 'The Stripe key lacks the permission rak_event_read.';
    billing.listEvents = async (order) => {
      if (order.kind === 'thin') throw new MeterctlError('unauthorized', refusal);
      return listEvents(order);
    };
    expect(await run()).toMatchObject({ missed: 1, thinRefusal: refusal });
    const tell = createThinNotice(host.log);
    for (const told of [refusal, refusal, null, refusal]) tell(told);
    const warned = { level: 'warn', message: expect.stringContaining('rak_event_read') };
    expect(host.lines).toMatchObject([warned, warned]);
  });

  it('forgets what was applied so long ago that nobody can bring it again, and nothing else', async () => {
    const { run, store, host } = await setUp();
    for (const id of ['evt_applied', 'evt_failed', 'evt_waiting'])
      await store.recordWebhook(newWebhook({ id, createdAtMs: testStartMs }), testStartMs);
    await store.settleWebhook('evt_applied', { kind: 'applied', atMs: testStartMs });
    await store.settleWebhook('evt_failed', { kind: 'failed', reason: 'poisoned' });
    await store.recordCheckout('cs_abandoned', testStartMs);
    host.jump(testStartMs + 34 * day);
    await run();
    expect(await store.findWebhook('evt_applied')).toBeDefined();
    expect(await store.findCheckout('cs_abandoned')).toBeDefined();
    host.jump(testStartMs + 36 * day);
    await run();
    expect(await store.findWebhook('evt_applied')).toBeUndefined();
    expect(await store.findCheckout('cs_abandoned')).toBeUndefined();
    expect(await store.findWebhook('evt_failed')).toBeDefined();
    expect(await store.findWebhook('evt_waiting')).toBeDefined();
  });
});
