/** Reconciliation of a real store with the embedded Stripe, whose faults make the drift. */

import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { reconcile, reconcilePaces, reconcileRange } from '../../src/delivery/reconcile.js';
import type { InvoiceBilling, MeterSumBilling } from '../../src/domain/billing.js';
import { addIntervals } from '../../src/lib/calendar.js';
import { recordSubscription, subscriptionOf } from '../support/records.js';
import { openComparison } from './open-comparison.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('reconciliation', () => {
  it('finds nothing where both sides agree, and takes no offence at what is pending', async () => {
    const { use, send, compare, wait, addCustomer } = await openComparison();
    const other = await addCustomer();
    await use(5);
    await use(7, 50 * hourMs);
    await use(2, 3 * hourMs, other.no);
    await send();
    await use(11);
    wait(1);
    expect(await compare()).toMatchObject({ checked: 2, drift: [], repaired: 0 });
  });

  it('agrees with what was taken back, by cancelling it or by less than nothing', async () => {
    const { use, send, store, host, wait, compare, counted } = await openComparison();
    await use(5);
    await send();
    await use(3);
    await send();
    const taken = { reason: 'by mistake', billable: true };
    const act = { actor: 'system', atMs: host.clock.nowMs() } as const;
    const [cancelled, negative] = await Promise.all([
      store.voidUsage({ ...taken, usageId: 1, cancellableSinceMs: 0 }, act),
      store.voidUsage({ ...taken, usageId: 2, cancellableSinceMs: act.atMs + 1 }, act),
    ]);
    expect([cancelled, negative]).toMatchObject([{ how: 'cancelled' }, { how: 'negative' }]);
    wait(1);
    expect((await compare({ repair: 'all' })).drift).toEqual([]);
    await send();
    wait(1_000);
    await send();
    expect(await counted()).toBe(0);
    wait(minuteMs);
    expect(await compare({ repair: 'all' })).toMatchObject({ drift: [], repaired: 0 });
  });

  it('names the minutes of usage that somebody else sent', async () => {
    const { use, send, foreign, compare, wait, host, customer } = await openComparison();
    await use(5);
    await use(6, 30 * hourMs);
    await send();
    await foreign(3, 30 * hourMs);
    await foreign(1, 2 * minuteMs);
    wait(1);
    const minute = (agoMs: number) => Math.floor((host.clock.nowMs() - agoMs) / minuteMs) * minuteMs;
    const { drift, repaired } = await compare({ repair: 'all' });
    expect(repaired).toBe(0);
    expect(drift).toEqual([
      {
        ...{ customerId: customer.id, cause: 'more_at_stripe', ledger: 6, pending: 0, stripe: 9 },
        ...{ startMs: minute(30 * hourMs), endMs: minute(30 * hourMs) + minuteMs, deliveryIds: [] },
      },
      expect.objectContaining({
        startMs: minute(2 * minuteMs),
        ledger: 0,
        stripe: 1,
        cause: 'more_at_stripe',
      }),
    ]);
  });

  it('does not make good in one billing period what another lacks', async () => {
    const { use, send, stripe, store, customer, foreign, compare, wait, host } = await openComparison();
    const periodEndMs = host.clock.nowMs() - 20 * hourMs;
    const period = { startMs: addIntervals(periodEndMs, 'month', -1), endMs: periodEndMs };
    const times = { anchorMs: period.startMs, createdAtMs: period.startMs };
    await recordSubscription(store, subscriptionOf(customer.id, { ...times, period }));
    await use(1, 30 * hourMs);
    await send();
    const [lost] = (await store.listDeliveries({}, { limit: 1 })).data;
    await stripe.billing.meterEventAdjustments.create({
      ...{ event_name: 'calls', type: 'cancel', cancel: { identifier: lost?.id ?? '' } },
    });
    await foreign(1, 2 * minuteMs);
    wait(1);
    expect((await compare()).drift).toMatchObject([
      { cause: 'missing_at_stripe', ledger: 1, stripe: 0 },
      { cause: 'more_at_stripe', ledger: 0, stripe: 1 },
    ]);
  });

  it('compares one customer when asked, and only the range asked for', async () => {
    const { foreign, compare, addCustomer, customer, wait, host } = await openComparison();
    const other = await addCustomer();
    await foreign(3, 30 * hourMs);
    wait(1);
    expect(await compare({ customerId: other.id })).toMatchObject({ checked: 1, drift: [] });
    const nowMs = host.clock.nowMs();
    const range = reconcileRange({ fromMs: nowMs - 29 * hourMs }, nowMs, reconcilePaces.emulator);
    expect(await compare({ customerId: customer.id, range })).toMatchObject({ checked: 1, drift: [] });
    expect((await compare({ customerId: customer.id })).drift).toHaveLength(1);
  });

  it('names what Stripe refused, neighbouring minutes as one', async () => {
    const { use, send, compare, wait, stripe, meter, store } = await openComparison();
    await stripe.billing.meters.deactivate(meter.id);
    await use(5, 10 * minuteMs);
    await use(6, 11 * minuteMs);
    await use(7, 20 * minuteMs);
    await send();
    wait(1);
    const refused = await store.listDeliveries({ state: 'refused' }, { limit: 10 });
    const ids = refused.data.map(({ id }) => id).reverse();
    const { drift } = await compare();
    expect(drift).toMatchObject([
      { cause: 'refused', ledger: 7, stripe: 0, deliveryIds: ids.slice(0, 1) },
      { cause: 'refused', ledger: 11, stripe: 0, deliveryIds: ids.slice(1) },
    ]);
    expect(drift[1]!.endMs - drift[1]!.startMs).toBe(2 * minuteMs);
  });

  it('tells by the hour what differs in very many hours', async () => {
    const { use, foreign, compare, wait } = await openComparison();
    await use(1);
    for (let hour = 1; hour <= 50; hour += 1) await foreign(1, hour * hourMs);
    wait(1);
    const lengths = (await compare()).drift.map(({ startMs, endMs }) => endMs - startMs);
    expect(lengths.filter((length) => length === minuteMs)).toHaveLength(48);
    expect(lengths.at(-1)).toBe(2 * hourMs);
  });

  it('names a customer whom Stripe does not have, where something was used', async () => {
    const { use, send, compare, wait, addCustomer } = await openComparison();
    const ghost = await addCustomer('cus_ghost');
    await use(4, minuteMs, ghost.no);
    expect((await compare()).drift).toEqual([]);
    await send();
    wait(1);
    expect((await compare()).drift).toMatchObject([
      { customerId: 'cus_ghost', cause: 'no_such_customer', ledger: 4, stripe: 0 },
    ]);
  });

  it('waits for counts that lag', async () => {
    const { use, send, compare, wait, faults } = await openComparison(reconcilePaces.live);
    faults.set({ summaryLagSec: 600 });
    await use(5, 20 * minuteMs);
    await send();
    wait(minuteMs);
    expect((await compare({ repair: 'all' })).drift).toEqual([]);
    wait(15 * minuteMs);
    expect((await compare({ repair: 'all' })).drift).toEqual([]);
  });

  it('stands 429s, lost requests and lost answers, and gives up on a Stripe that is gone', async () => {
    const { use, send, foreign, compare, wait, faults, passing } = await openComparison();
    await use(5);
    await send();
    await foreign(2);
    wait(1);
    faults.set({ rateLimited: 0.3, resetBefore: 0.1, resetAfter: 0.1, badGateway: 0.1 });
    expect((await passing(compare())).drift).toMatchObject([{ ledger: 5, stripe: 7 }]);
    faults.set({ resetBefore: 1 });
    await expect(passing(compare(), 60_000)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('pages through everybody, a few at a time, and ends early when it is told to', async () => {
    const { store, host, addCustomer, use } = await openComparison();
    for (let n = 0; n < 450; n += 1) await use(1, minuteMs, (await addCustomer(`cus_${n}`)).no);
    let inFlight = 0;
    let most = 0;
    const asked = new Set<string>();
    const billing: MeterSumBilling & InvoiceBilling = {
      async sumMeterEvents(customerId) {
        inFlight += 1;
        most = Math.max(most, inFlight);
        asked.add(customerId);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        return 0;
      },
      listMeterSums: async () => [],
      listBilledSpans: async () => [],
      findComingInvoice: async () => undefined,
    };
    const pace = { ...reconcilePaces.emulator, readsPerSecond: 10_000 };
    const deps = { store, billing, host, meter: 'calls', pace };
    const range = reconcileRange({}, host.clock.nowMs(), pace);
    const stopping = new AbortController();
    const order = { range, older: false, repair: 'none' as const, signal: stopping.signal };
    const seen: number[] = [];
    const whole = await reconcile(deps, { ...order, onChecked: (checked) => void seen.push(checked) });
    expect(whole).toMatchObject({ checked: 450, drift: [] });
    expect(asked.size).toBe(450);
    expect(seen.at(-1)).toBe(450);
    expect(most).toBe(8);
    const onChecked = (checked: number) => {
      if (checked >= 100) stopping.abort();
    };
    expect((await reconcile(deps, { ...order, onChecked })).checked).toBeLessThan(110);
  });

  it('notices a ledger that was changed by something else', async () => {
    const { use, send, compare, databasePath } = await openComparison();
    await use(5);
    await send();
    const sql = new Sqlite(databasePath);
    sql.exec(`INSERT INTO usage (delivery_no, customer_no, route_no, at_ms, units)
      SELECT delivery_no, customer_no, route_no, at_ms, 2 FROM usage`);
    sql.close();
    expect((await compare()).drift).toMatchObject([{ cause: 'ledger_and_deliveries_differ', ledger: 7 }]);
  });

  it('refuses a range in which nothing can be compared', () => {
    const nowMs = Date.UTC(2026, 10, 10, 12);
    expect(() => reconcileRange({ fromMs: nowMs - 10 * minuteMs }, nowMs, reconcilePaces.live)).toThrow(
      'nothing to compare',
    );
    const wish = { fromMs: nowMs - 90_000, toMs: nowMs + hourMs };
    expect(reconcileRange(wish, nowMs, reconcilePaces.emulator)).toEqual({
      startMs: nowMs - 2 * minuteMs,
      endMs: nowMs + minuteMs,
    });
    expect(reconcileRange({}, nowMs + 1, reconcilePaces.live)).toEqual({
      startMs: nowMs - 15 * minuteMs - 35 * 24 * hourMs,
      endMs: nowMs - 15 * minuteMs,
    });
  });
});

describe('repair', () => {
  it('settles what arrived although its answer was lost', async () => {
    const { use, send, compare, wait, faults, store, counted } = await openComparison();
    await use(5);
    await send();
    await use(3);
    faults.set({ resetAfter: 1 });
    await send();
    wait(24 * hourMs);
    await send();
    faults.reset();
    const [uncertain] = (await store.listDeliveries({ state: 'uncertain' }, { limit: 10 })).data;
    expect((await compare()).drift).toMatchObject([
      { cause: 'uncertain', deliveryIds: [uncertain?.id], stripe: 8 },
    ]);
    expect(await compare({ repair: 'uncertain' })).toMatchObject({ drift: [], repaired: 1 });
    wait(minuteMs);
    await send();
    expect(await compare()).toMatchObject({ drift: [], repaired: 0 });
    expect(await counted()).toBe(8);
  });

  it('sends again what never arrived, and it is counted once', async () => {
    const { use, send, compare, wait, faults, counted, store } = await openComparison();
    await use(5);
    await send();
    await use(3);
    faults.set({ resetBefore: 1 });
    await send();
    wait(24 * hourMs);
    await send();
    faults.reset();
    wait(hourMs);
    expect(await counted()).toBe(5);
    expect(await compare({ repair: 'uncertain' })).toMatchObject({ drift: [], repaired: 1 });
    await send();
    wait(minuteMs);
    expect(await store.countDeliveries(0)).toMatchObject({ delivered: 2, uncertain: 0, pending: 0 });
    expect(await compare({ repair: 'all' })).toMatchObject({ drift: [], repaired: 0 });
    expect(await counted()).toBe(8);
  });

  it.each([
    ['by their units', 4],
    ['by any, when their units are equal', 3],
  ])('tells which of two in one minute arrived: %s', async (_, lostUnits) => {
    const { use, send, compare, wait, faults, store, counted } = await openComparison();
    await loseTwo({ use, send, wait, faults }, lostUnits);
    expect(await store.countDeliveries(0)).toMatchObject({ uncertain: 2 });
    expect(await counted()).toBe(3);
    expect(await compare({ repair: 'uncertain' })).toMatchObject({ drift: [], repaired: 2 });
    await send();
    wait(minuteMs);
    expect(await store.countDeliveries(0)).toMatchObject({ delivered: 2, uncertain: 0, pending: 0 });
    expect(await counted()).toBe(3 + lostUnits);
    expect(await compare({ repair: 'all' })).toMatchObject({ drift: [], repaired: 0 });
  });

  it('does not guess where nothing explains the count, until the operator says what he found', async () => {
    const { use, send, compare, wait, faults, store, foreign, host } = await openComparison();
    await loseTwo({ use, send, wait, faults }, 4);
    await foreign(2, 49 * hourMs + minuteMs);
    const { drift, repaired } = await compare({ repair: 'all' });
    expect(repaired).toBe(0);
    expect(drift).toMatchObject([{ cause: 'uncertain', ledger: 7, stripe: 5 }]);
    const [newer = '', older = ''] = drift[0]?.deliveryIds ?? [];
    const act = { actor: 'cli:ada', atMs: host.clock.nowMs() } as const;
    expect(await store.settleByHand([older], 'delivered', act)).toEqual(['settled']);
    expect(await store.settleByHand([newer], 'refused', act)).toEqual(['settled']);
    expect(await store.countDeliveries(0)).toMatchObject({ delivered: 1, refused: 1, uncertain: 0 });
  });

  it('looks at what is uncertain however old it is, unless another range is asked for', async () => {
    const { use, send, compare, wait, faults, store } = await openComparison();
    await use(3);
    faults.set({ resetAfter: 1 });
    await send();
    faults.reset();
    wait(40 * 24 * hourMs);
    await send();
    expect(await store.countDeliveries(0)).toMatchObject({ uncertain: 1 });
    expect(await compare({ older: false })).toMatchObject({ drift: [] });
    expect(await compare()).toMatchObject({ drift: [{ cause: 'uncertain', ledger: 3, stripe: 3 }] });
    expect(await compare({ repair: 'uncertain' })).toMatchObject({ drift: [], repaired: 1 });
    expect(await store.countDeliveries(0)).toMatchObject({ delivered: 1, uncertain: 0 });
  });

  it('sends again what Stripe accepted and lost, once that is proved, under a new identifier', async () => {
    const { use, send, compare, wait, stripe, store, counted } = await openComparison(reconcilePaces.live);
    await use(5, 30 * minuteMs);
    await use(3, 30 * minuteMs);
    await send();
    await use(4, 30 * minuteMs);
    await send();
    const lost = (await store.listDeliveries({}, { limit: 10 })).data.find(({ units }) => units === 4);
    await stripe.billing.meterEventAdjustments.create({
      ...{ event_name: 'calls', type: 'cancel', cancel: { identifier: lost?.id ?? '' } },
    });
    wait(20 * minuteMs);
    // It is missing, but not for long enough to prove anything.
    expect(await compare({ repair: 'all' })).toMatchObject({
      ...{ drift: [{ cause: 'missing_at_stripe', ledger: 12, stripe: 8 }], repaired: 0 },
    });
    wait(hourMs);
    expect(await compare({ repair: 'uncertain' })).toMatchObject({ repaired: 0 });
    expect(await compare({ repair: 'all' })).toMatchObject({ drift: [], repaired: 1 });
    await send();
    wait(20 * minuteMs);
    expect(await store.findDelivery(lost?.id ?? '')).toMatchObject({
      state: 'delivered',
      identifierNumber: 2,
    });
    expect(await counted()).toBe(12);
    expect(await compare({ repair: 'all' })).toMatchObject({ drift: [], repaired: 0 });
  });
});

/** Two deliveries of one minute with lost answers, of which the first, of 3 units, arrived. */
async function loseTwo(
  {
    use,
    send,
    wait,
    faults,
  }: Pick<Awaited<ReturnType<typeof openComparison>>, 'use' | 'send' | 'wait' | 'faults'>,
  lostUnits: number,
): Promise<void> {
  await use(3);
  faults.set({ resetAfter: 1 });
  await send();
  faults.set({ resetAfter: 0, resetBefore: 1 });
  await use(lostUnits);
  wait(24 * hourMs);
  await send();
  wait(24 * hourMs);
  await send();
  await send();
  faults.reset();
  wait(hourMs);
}
