/** Deliveries that Stripe rejects after accepting them, and refused ones that are tried again, on any engine. */

import { describe, expect, it } from 'vitest';
import type { ClaimedDelivery } from '../../src/domain/delivery.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { retry, settle, useWindows } from './deliveries.js';
import type { OpenStore } from './store.js';

const endMs = testStartMs + 5_000;
const claim = { nowMs: endMs, leaseMs: 1_000, limit: 10 };

/** The cases. */
export function describeReopening(open: OpenStore): void {
  describe('rejecting', () => {
    it('refuses what was delivered, uses its identifier up, and says so once', async () => {
      const { store } = await open();
      const claimed = await claimOne(store);
      await settle(store, claimed, { kind: 'delivered' });
      const rejection = { id: claimed.id, identifierNumber: 1, reason: 'no such customer' };
      expect(await store.rejectDeliveries([rejection, rejection])).toEqual(['refused', 'repeat']);
      expect(await store.findDelivery(claimed.id)).toMatchObject({
        state: 'refused',
        reason: 'no such customer',
        identifierNumber: 2,
        keyNumber: 1,
        deliveredAtMs: null,
      });
    });

    it('comes before the courier has settled, and is not overwritten by its late answer', async () => {
      const { store } = await open();
      const claimed = await claimOne(store);
      expect(await reject(store, claimed.id, 1)).toEqual(['refused']);
      for (const outcome of [{ kind: 'delivered' } as const, retry({})])
        await settle(store, claimed, outcome);
      expect(await store.findDelivery(claimed.id)).toMatchObject({ state: 'refused', identifierNumber: 2 });
      await store.retryDeliveries([claimed.id], endMs);
      await settle(store, claimed, { kind: 'delivered' });
      expect(await store.findDelivery(claimed.id)).toMatchObject({ state: 'pending' });
    });

    it('ignores reports about an older identifier, and about what was never sent', async () => {
      const { store } = await open();
      await useWindows(store, 1, 1);
      const [{ id = '' } = {}] = (await store.listDeliveries({}, { limit: 1 })).data;
      expect(await reject(store, id, 1), 'open').toEqual(['unknown']);
      expect(await reject(store, 'dlv_none', 1)).toEqual(['unknown']);
      await store.freezeDeliveries(endMs);
      expect(await reject(store, id, 1), 'never sent').toEqual(['unknown']);
      const [first] = await store.claimDeliveries(claim);
      await settle(store, first, { kind: 'delivered' });
      expect(await reject(store, id, 2), 'a number that was never used').toEqual(['unknown']);
      await reject(store, id, 1);
      await store.retryDeliveries([id], endMs);
      const [second] = await store.claimDeliveries(claim);
      await settle(store, second, { kind: 'delivered' });
      expect(await reject(store, id, 1)).toEqual(['repeat']);
      expect(await store.findDelivery(id)).toMatchObject({ state: 'delivered', identifierNumber: 2 });
    });

    it('settles what was unknown', async () => {
      const { store } = await open();
      const claimed = await claimOne(store);
      await settle(store, claimed, { kind: 'uncertain', reason: 'lost' });
      expect(await reject(store, claimed.id, 1)).toEqual(['refused']);
      expect(await store.findDelivery(claimed.id)).toMatchObject({ unknownSinceMs: null });
    });
  });

  describe('settling by hand', () => {
    it('takes the word of the operator for what is uncertain, writes it down, and touches nothing else', async () => {
      const { store } = await open();
      await useWindows(store, 3, 1);
      await store.freezeDeliveries(endMs);
      const [one, two, three] = await store.claimDeliveries(claim);
      for (const claimed of [one, two]) await settle(store, claimed, { kind: 'uncertain', reason: 'lost' });
      const ids = [one, two, three].map((claimed) => claimed?.id ?? '');
      const act = { actor: 'cli:ada', atMs: endMs + 9 } as const;
      expect(await store.settleByHand(ids.slice(0, 1), 'delivered', act)).toEqual(['settled']);
      expect(await store.settleByHand([...ids, 'dlv_none'], 'refused', act)).toEqual([
        'delivered',
        'settled',
        'claimed',
        'unknown',
      ]);
      expect(await store.findDelivery(ids[0] ?? '')).toMatchObject({
        ...{ state: 'delivered', deliveredAtMs: endMs + 9, unknownSinceMs: null, reason: null },
      });
      expect(await store.findDelivery(ids[1] ?? '')).toMatchObject({
        ...{ state: 'refused', unknownSinceMs: null, identifierNumber: 1 },
        reason: expect.stringContaining('by hand'),
      });
      const { data } = await store.listAudit({ action: 'delivery.settled' }, { limit: 10 });
      expect(data).toMatchObject([
        {
          actor: 'cli:ada',
          subject: ids[1],
          customerId: two?.customerId,
          details: { as: 'refused', units: 1 },
        },
        { actor: 'cli:ada', subject: ids[0], customerId: one?.customerId, details: { as: 'delivered' } },
      ]);
    });

    it('sends what was settled as refused again only when it is retried, as something new', async () => {
      const { store } = await open();
      const claimed = await claimOne(store);
      await settle(store, claimed, { kind: 'uncertain', reason: 'lost' });
      await store.settleByHand([claimed.id], 'refused', { actor: 'system', atMs: endMs });
      expect(await store.claimDeliveries({ ...claim, nowMs: endMs + 90_000_000 })).toEqual([]);
      expect(await store.retryDeliveries([claimed.id], endMs)).toEqual(['retried']);
      const nowMs = endMs + 90_000_000;
      expect(await store.claimDeliveries({ ...claim, nowMs })).toMatchObject([
        { id: claimed.id, unknownBeforeMs: null, unknownSinceMs: nowMs },
      ]);
    });
  });

  describe('retrying', () => {
    it('takes the next Idempotency-Key after a refusal, because Stripe would replay it', async () => {
      const { store } = await open();
      const claimed = await claimOne(store);
      await settle(store, claimed, { kind: 'refused', reason: 'archived' });
      expect(await store.retryDeliveries([claimed.id], endMs + 7)).toEqual(['retried']);
      expect(await store.findDelivery(claimed.id)).toMatchObject({
        state: 'pending',
        nextAttemptAtMs: endMs + 7,
      });
      expect(await store.claimDeliveries({ ...claim, nowMs: endMs + 7 })).toMatchObject([
        { id: claimed.id, identifierNumber: 1, keyNumber: 2 },
      ]);
    });

    it('remembers that an attempt before the refusal may have arrived', async () => {
      const { store } = await open();
      await settle(store, await claimOne(store), retry({}));
      const [second] = await store.claimDeliveries({ ...claim, nowMs: endMs + 1 });
      expect(second).toMatchObject({ unknownBeforeMs: endMs });
      await settle(store, second, { kind: 'refused', reason: 'archived' });
      expect(await store.findDelivery(second?.id ?? '')).toMatchObject({
        state: 'refused',
        unknownSinceMs: endMs,
      });
    });

    it('hastens what is pending and says why it does nothing with the rest', async () => {
      const { store } = await open();
      await useWindows(store, 4, 1);
      await store.freezeDeliveries(endMs);
      const [one, two, three, four] = await store.claimDeliveries(claim);
      await settle(store, one, retry({ atMs: endMs + 60_000 }));
      await settle(store, two, { kind: 'delivered' });
      await settle(store, three, { kind: 'uncertain', reason: 'lost' });
      await useWindows(store, 1, 2);
      const [open2] = (await store.listDeliveries({ state: 'open' }, { limit: 1 })).data;
      const ids = [one, two, three, four, open2].map((delivery) => delivery?.id ?? '');
      expect(await store.retryDeliveries([...ids, 'dlv_none'], endMs + 1)).toEqual([
        'hastened',
        'delivered',
        'uncertain',
        'claimed',
        'open',
        'unknown',
      ]);
      expect(await store.findDelivery(ids[0] ?? '')).toMatchObject({ nextAttemptAtMs: endMs + 1 });
    });

    it('hastens all that is pending', async () => {
      const { store } = await open();
      await useWindows(store, 3, 1);
      await store.freezeDeliveries(endMs);
      for (const claimed of await store.claimDeliveries(claim))
        await settle(store, claimed, retry({ atMs: endMs + 60_000 }));
      expect(await store.hastenDeliveries(endMs + 1)).toBe(3);
      expect(await store.hastenDeliveries(endMs + 1)).toBe(0);
      expect(await store.claimDeliveries({ ...claim, nowMs: endMs + 1 })).toHaveLength(3);
    });
  });
}

async function claimOne(store: Store): Promise<ClaimedDelivery> {
  await useWindows(store, 1, 1);
  await store.freezeDeliveries(endMs);
  const [claimed] = await store.claimDeliveries(claim);
  if (!claimed) throw new Error('There is one delivery, and it is due.');
  return claimed;
}

function reject(store: Store, id: string, identifierNumber: number) {
  return store.rejectDeliveries([{ id, identifierNumber, reason: 'rejected' }]);
}
