import { describe, expect, it } from 'vitest';
import { createCourier } from '../../src/delivery/courier.js';
import type { MeterEvent, MeterEventAnswer } from '../../src/domain/billing.js';
import type { Customer } from '../../src/domain/customer.js';
import { MeterctlError } from '../../src/domain/error.js';
import type { Store } from '../../src/domain/store.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const windowMs = 2_000;
const hour = 3_600_000;
const running = new AbortController().signal;

/** A courier on a real store; `answers` are what Stripe says, one after the other, and then `accepted`. */
async function setUp(answers: MeterEventAnswer[] = []) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const { customer } = await addSubscriber(store, host);
  const sent: MeterEvent[] = [];
  const courier = createCourier({
    store,
    host,
    ratePerSecond: 100,
    periodCheck: async () => ({ kind: 'billable' }),
    verify: async () => undefined,
    billing: {
      async sendMeterEvent(event) {
        sent.push(event);
        return answers.shift() ?? { kind: 'accepted' };
      },
      cancelMeterEvent: async () => ({ kind: 'accepted' }),
    },
  });
  return { host, store, customer, sent, courier };
}

async function use(store: Store, host: FakeHost, customer: Customer, units = 1): Promise<void> {
  const row = usageRow(
    { customer, keyNo: null, route: 'GET /api', units, atMs: host.clock.nowMs() },
    { meter: 'calls', windowMs },
  );
  await store.recordUsage([row], host.clock.nowMs());
}

function trouble(over: Partial<Extract<MeterEventAnswer, { kind: 'retry' }>> = {}): MeterEventAnswer {
  return {
    kind: 'retry',
    reason: 'no answer',
    processed: 'unknown',
    nextKey: false,
    retryAfterMs: null,
    ...over,
  };
}

describe('the courier', () => {
  it('waits for the window to end, then sends one event for all of it, once', async () => {
    const { host, store, customer, sent, courier } = await setUp();
    await use(store, host, customer, 2);
    await use(store, host, customer, 3);
    await courier.tick(running);
    expect(sent).toEqual([]);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    await courier.tick(running);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ customerId: 'cus_1', meter: 'calls', units: 5 });
    expect(sent[0]?.identifier).toBe(sent[0]?.idempotencyKey);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1, pending: 0 });
  });

  it.each<[string, MeterEventAnswer, string]>([
    ['keeps identifier and key after a lost answer', trouble(), ''],
    ['keeps identifier and key after 429', trouble({ processed: 'no' }), ''],
    ['keeps the identifier and changes the key after a received 5xx', trouble({ nextKey: true }), ':2'],
  ])('%s', async (_, answer, suffix) => {
    const { host, store, customer, sent, courier } = await setUp([answer]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    host.jump(host.clock.nowMs() + 10_000);
    await courier.tick(running);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.identifier).toBe(sent[0]?.identifier);
    expect(sent[1]?.idempotencyKey).toBe(`${sent[0]?.identifier}${suffix}`);
    expect(sent[1]?.timestampMs).toBe(sent[0]?.timestampMs);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1, pending: 0 });
  });

  it('takes a duplicate for what it is: already there', async () => {
    const { host, store, customer, courier } = await setUp([{ kind: 'duplicate' }]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1 });
  });

  it('keeps what Stripe refuses, with the reason', async () => {
    const { host, store, customer, courier } = await setUp([{ kind: 'refused', reason: 'no such meter' }]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    const { data } = await store.listDeliveries({ state: 'refused' }, { limit: 10 });
    expect(data).toMatchObject([{ reason: 'no such meter', units: 1 }]);
  });

  it('pauses longer and longer while Stripe is down, sends one ahead to look, and then the rest', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble(), trouble()]);
    const { customer: other } = await addSubscriber(store, host, 'cus_2');
    await use(store, host, customer);
    await use(store, host, other);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    expect(sent).toHaveLength(2);
    expect(courier.state().trouble).toBe('no answer');
    await courier.tick(running);
    expect(sent).toHaveLength(2);
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(sent).toHaveLength(4);
    expect(courier.state().trouble).toBeNull();
  });

  it('stops on a refused key, names the reason, and goes on when it is mended', async () => {
    const { host, store, customer, sent, courier } = await setUp([
      { kind: 'stopped', reason: 'lacks rak_x' },
    ]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    expect(courier.state().stopped).toBe('lacks rak_x');
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(courier.state().stopped).toBeNull();
    expect(sent).toHaveLength(2);
  });

  it('tries a refused key again with one delivery, and sends the rest once that is accepted', async () => {
    const refusal: MeterEventAnswer = { kind: 'stopped', reason: 'lacks rak_x' };
    const answers: MeterEventAnswer[] = [];
    const { host, store, customer, sent, courier } = await setUp(answers);
    await use(store, host, customer);
    for (let n = 2; n <= 20; n += 1)
      await use(store, host, (await addSubscriber(store, host, `cus_${n}`)).customer);
    host.jump(host.clock.nowMs() + windowMs);
    for (let left = 20; left > 0; left -= 1) answers.push(refusal);
    await courier.tick(running);
    const refused = sent.length;
    answers.splice(0, answers.length, refusal, trouble({ processed: 'no' }));
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(sent).toHaveLength(refused + 1);
    expect(courier.state().stopped).toBe('lacks rak_x');
    // No answer says nothing of the key.
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(sent).toHaveLength(refused + 2);
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 20, pending: 0 });
  });

  it('never sends blindly what has been unknown for more than 23 hours', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble()]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    host.jump(host.clock.nowMs() + 23 * hour + 1);
    await courier.tick(running);
    expect(sent).toHaveLength(1);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ uncertain: 1 });
  });

  it('never sends blindly what a clock that was ahead has sent: how long ago that was is unknown', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble()]);
    await use(store, host, customer);
    const rightMs = host.clock.nowMs() + windowMs;
    host.jump(rightMs + 20 * hour);
    await courier.tick(running);
    host.jump(rightMs);
    await courier.tick(running);
    expect(sent).toHaveLength(1);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ uncertain: 1 });
  });

  it('pauses no longer when the clock is set back', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble({ processed: 'no' })]);
    await use(store, host, customer);
    const rightMs = host.clock.nowMs() + windowMs;
    host.jump(rightMs + 20 * hour);
    await courier.tick(running);
    host.jump(rightMs);
    await courier.tick(running);
    expect(sent).toHaveLength(2);
  });

  it('compares with Stripe what was sent while the clock was ahead, however long ago it was set back', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble()]);
    await use(store, host, customer);
    const rightMs = host.clock.nowMs() + windowMs;
    host.jump(rightMs + 20 * hour);
    await courier.tick(running);
    // For four hours the daemon cannot look at the outbox, but takes calls.
    host.jump(rightMs + 24 * hour);
    await use(store, host, customer);
    host.jump(rightMs + 21 * hour);
    await courier.tick(running);
    const { data } = await store.listDeliveries({ state: 'uncertain' }, { limit: 10 });
    expect(data).toMatchObject([{ units: 1, reason: expect.stringContaining('a clock that was set back') }]);
    expect(sent.filter(({ identifier }) => identifier === data[0]?.id)).toHaveLength(1);
  });

  it('minds no correction of the clock by some minutes', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble()]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    host.jump(host.clock.nowMs() + 15 * 60_000);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() - 9 * 60_000);
    await courier.tick(running);
    expect(sent.map(({ units }) => units)).toEqual([1, 1, 1]);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 2, uncertain: 0 });
  });

  it('still sends after days in which Stripe certainly did not get it', async () => {
    const { host, store, customer, sent, courier } = await setUp([trouble({ processed: 'no' })]);
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    host.jump(host.clock.nowMs() + 72 * hour);
    await courier.tick(running);
    expect(sent).toHaveLength(2);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1 });
  });

  it('names what is too old to be billed', async () => {
    const { host, store, customer, sent, courier } = await setUp();
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + 36 * 24 * hour);
    await courier.tick(running);
    expect(sent).toEqual([]);
    expect((await store.listDeliveries({ state: 'refused' }, { limit: 1 })).data[0]?.reason).toMatch(
      /35 days/,
    );
  });

  it('sends nothing before the account is verified', async () => {
    const host = createFakeHost();
    const store = await openTestStore(host);
    const { customer } = await addSubscriber(store, host);
    let refuse = true;
    const sent: MeterEvent[] = [];
    const courier = createCourier({
      store,
      host,
      ratePerSecond: 100,
      periodCheck: async () => ({ kind: 'billable' }),
      async verify() {
        if (refuse) throw new MeterctlError('conflict', 'another account');
      },
      billing: {
        sendMeterEvent: async (event) => ({ kind: 'accepted', sent: sent.push(event) }),
        cancelMeterEvent: async () => ({ kind: 'accepted' }),
      },
    });
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    expect(sent).toEqual([]);
    expect(courier.state().stopped).toBe('another account');
    refuse = false;
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(sent).toHaveLength(1);
  });

  it('flushes also the window that still runs', async () => {
    const { host, store, customer, sent, courier } = await setUp();
    await use(store, host, customer);
    await courier.flush(running);
    expect(sent).toHaveLength(1);
  });

  it('takes over from a courier that died while sending, under the same identifier', async () => {
    const { host, store, customer, sent, courier } = await setUp();
    await use(store, host, customer);
    host.jump(host.clock.nowMs() + windowMs);
    await store.freezeDeliveries(host.clock.nowMs());
    const [claimed] = await store.claimDeliveries({ nowMs: host.clock.nowMs(), leaseMs: 30_000, limit: 1 });
    await courier.tick(running);
    expect(sent).toEqual([]);
    host.jump(host.clock.nowMs() + 30_000);
    await courier.tick(running);
    expect(sent.map((event) => event.identifier)).toEqual([claimed?.id]);
  });
});
