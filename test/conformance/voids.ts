/** Taking usage back, on any engine. */

import { describe, expect, it } from 'vitest';
import type { ClaimedDelivery, Delivery, DeliveryOutcome } from '../../src/domain/delivery.js';
import type { Store } from '../../src/domain/store.js';
import type { RecordedUsage, UsageVoid, VoidedUsage } from '../../src/domain/usage.js';
import { testStartMs } from '../support/host.js';
import { newUsage, testPeriod } from '../support/records.js';
import { retry, settle } from './deliveries.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const HOUR_MS = 3_600_000;
const endMs = testStartMs + 5_000;
const claim = { nowMs: endMs, leaseMs: 1_000, limit: 10 };
const everything = { fromMs: 0, toMs: testPeriod.endMs };
const delivered: DeliveryOutcome = { kind: 'delivered' };

/** The cases. */
export function describeVoids(open: OpenStore): void {
  describe('taking usage back', () => {
    it('adds a row, once, which reports and periods follow', async () => {
      const { store } = await open();
      const [{ id }] = await use(store, 5, 3);
      expect(await store.findUsage(id)).toEqual({ id, customerId: 'cus_1', units: 5, atMs: testStartMs });
      expect(await store.findUsage(4711)).toBeUndefined();
      const voided = await takeBack(store, id);
      expect(voided).toMatchObject({
        units: -5,
        voids: id,
        recorded: 'new',
        how: 'shrunk',
        reason: 'a mistake',
      });
      expect(await takeBack(store, id, { reason: 'again' })).toEqual({ ...voided, recorded: 'repeat' });
      expect(await store.listUsage(everything, 'route')).toEqual([
        { route: 'GET /api', units: 3, requests: 2 },
      ]);
      expect(await store.sumUsage(everything)).toMatchObject({ units: 3, pending: 3 });
      const one = (await store.findCustomer('cus_1'))?.no ?? 0;
      expect(await store.findPeriodUnits(one, 'api_calls', testPeriod.startMs)).toBe(3);
    });

    it('shrinks what is open or frozen and was never sent; nothing is owed for nothing', async () => {
      const { store } = await open();
      const [first, second] = await use(store, 5, 3);
      await takeBack(store, first.id);
      expect(await outbox(store)).toMatchObject([{ state: 'open', units: 3 }]);
      await store.freezeDeliveries(endMs);
      expect(await takeBack(store, second.id)).toMatchObject({ how: 'shrunk' });
      expect(await outbox(store)).toMatchObject([{ state: 'delivered', units: 0, attempts: 0 }]);
      expect(await store.claimDeliveries(claim)).toEqual([]);
    });

    it('shrinks what surely did not arrive, under another Idempotency-Key', async () => {
      const { store } = await open();
      const [first, second] = await use(store, 5, 3);
      const claimed = await claimOne(store);
      await settle(store, claimed, retry({ processed: 'no' }));
      expect(await takeBack(store, first.id)).toMatchObject({ how: 'shrunk' });
      const again = await claimOne(store);
      expect(again).toMatchObject({ id: claimed.id, units: 3, identifierNumber: 1, keyNumber: 2 });
      await settle(store, again, { kind: 'refused', reason: 'no' });
      expect(await takeBack(store, second.id), 'also what Stripe refused').toMatchObject({ how: 'shrunk' });
      expect(await outbox(store)).toMatchObject([{ state: 'delivered', units: 0, reason: null }]);
      expect(await store.sumUsage(everything)).toMatchObject({ units: 0, refused: 0, delivered: 0 });
    });

    it('shrinks whatever the age, as long as nothing has to be sent', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      expect(await takeBack(store, first.id, { billable: false })).toMatchObject({ how: 'shrunk' });
    });

    it('cancels what was delivered lately, as a whole', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      const original = await claimOne(store);
      await settle(store, original, delivered);
      expect(await takeBack(store, first.id)).toMatchObject({ units: -5, how: 'cancelled' });
      const cancelling = await claimOne(store);
      expect(cancelling).toMatchObject({
        units: -5,
        corrects: original.id,
        cancels: original.id,
        window: original.window,
      });
      expect(cancelling.id).not.toBe(original.id);
      await settle(store, cancelling, delivered);
      expect(await store.sumUsage(everything)).toMatchObject({ units: 0, delivered: 0, pending: 0 });
    });

    it('sends less than nothing for a part, and for what was delivered long ago', async () => {
      const { store } = await open();
      const [part, rest] = await use(store, 5, 3);
      await settle(store, await claimOne(store), delivered);
      expect(await takeBack(store, part.id)).toMatchObject({ how: 'negative' });
      expect(await takeBack(store, rest.id, { cancellableSinceMs: endMs + 1 })).toMatchObject({
        how: 'negative',
      });
      const corrections = (await outbox(store)).filter(({ corrects }) => corrects !== null);
      expect(corrections).toMatchObject([
        { units: -3, cancels: null, state: 'pending' },
        { units: -5, cancels: null, state: 'pending' },
      ]);
    });

    it('cancels an event once, whatever else of it is taken back', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const rows = [3, -3, 3].map((units) => newUsage(one, { units }));
      const recorded = await store.recordUsage(rows, testStartMs);
      await settle(store, await claimOne(store), delivered);
      expect(await takeBack(store, recorded[0]!.id)).toMatchObject({ how: 'cancelled' });
      expect(await takeBack(store, recorded[2]!.id)).toMatchObject({ how: 'negative' });
    });

    it('turns into an event of its own when Stripe no longer cancels', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      await settle(store, await claimOne(store), delivered);
      await takeBack(store, first.id);
      const cancelling = await claimOne(store);
      await settle(store, cancelling, { kind: 'uncancellable', reason: 'too late' });
      expect(await claimOne(store)).toMatchObject({
        id: cancelling.id,
        units: -5,
        cancels: null,
        keyNumber: 2,
        unknownBeforeMs: null,
      });
    });

    it('waits until what it takes back has arrived', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      const original = await claimOne(store);
      expect(await takeBack(store, first.id), 'while it is being sent').toMatchObject({ how: 'negative' });
      await settle(store, original, retry({}));
      const again = await claimOne(store);
      expect(again).toMatchObject({ id: original.id, units: 5 });
      expect(await store.claimDeliveries(claim)).toEqual([]);
      await settle(store, again, delivered);
      expect(await claimOne(store)).toMatchObject({ corrects: original.id, units: -5 });
    });

    it('is refused with what it takes back, and tried again with it', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      const original = await claimOne(store);
      await takeBack(store, first.id);
      await settle(store, original, { kind: 'refused', reason: 'archived' });
      expect((await outbox(store)).map(({ state, units }) => [state, units])).toEqual([
        ['refused', -5],
        ['refused', 5],
      ]);
      expect(await store.sumUsage(everything)).toMatchObject({ units: 0, refused: 0 });
      await store.retryDeliveries([original.id], endMs);
      await settle(store, await claimOne(store), delivered);
      await settle(store, await claimOne(store), delivered);
      expect(await store.countDeliveries(endMs)).toMatchObject({ delivered: 2 });
    });

    it('is as nothing when Stripe rejects what was cancelled', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      const original = await claimOne(store);
      await settle(store, original, delivered);
      await takeBack(store, first.id);
      const cancelling = await claimOne(store);
      await store.rejectDeliveries([{ id: original.id, identifierNumber: 1, reason: 'no such customer' }]);
      await settle(store, cancelling, delivered);
      expect(await store.sumUsage(everything)).toMatchObject({ units: 0, refused: 0, delivered: 0 });
      expect(await store.countDeliveries(endMs)).toMatchObject({ refused: 2 });
      await store.retryDeliveries([original.id], endMs);
      await settle(store, await claimOne(store), delivered);
      expect(await claimOne(store)).toMatchObject({
        id: cancelling.id,
        cancels: `${original.id}.2`,
        identifierNumber: 2,
        keyNumber: 1,
      });
    });

    it('does not touch the books of a period that is closed', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      await settle(store, await claimOne(store), delivered);
      expect(await takeBack(store, first.id, { billable: false })).toBe('unbillable');
      expect(await store.sumUsage(everything)).toMatchObject({ units: 5, delivered: 5 });
      expect(await outbox(store)).toHaveLength(1);
    });

    it('is not counted as usage that is late', async () => {
      const { store } = await open();
      const [first] = await use(store, 5);
      await settle(store, await claimOne(store), delivered);
      await takeBack(store, first.id);
      expect(await store.countDeliveries(endMs + HOUR_MS)).toMatchObject({
        pending: 1,
        oldestPendingMs: null,
      });
    });
  });
}

/** Records one row of each number of units, all in one window. The second is there only where it was asked for. */
async function use(store: Store, ...units: number[]): Promise<[RecordedUsage, RecordedUsage]> {
  const [one = 0] = await addCustomers(store, 1);
  const rows = units.map((count) => newUsage(one, { units: count }));
  const recorded = await store.recordUsage(rows, testStartMs);
  return [recorded[0]!, recorded[1]!];
}

async function takeBack(store: Store, usageId: number, fields: Partial<UsageVoid> = {}) {
  const order = {
    usageId,
    reason: 'a mistake',
    billable: true,
    cancellableSinceMs: endMs - HOUR_MS,
    ...fields,
  };
  // Tests that are refused compare with the word itself.
  return (await store.voidUsage(order, { actor: 'cli:ada', atMs: endMs })) as VoidedUsage;
}

async function claimOne(store: Store): Promise<ClaimedDelivery> {
  await store.freezeDeliveries(endMs);
  const [claimed, ...more] = await store.claimDeliveries(claim);
  expect(more).toEqual([]);
  if (!claimed) throw new Error('Nothing is due.');
  return claimed;
}

async function outbox(store: Store): Promise<Delivery[]> {
  return (await store.listDeliveries({}, { limit: 100 })).data;
}
