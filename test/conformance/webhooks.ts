/** The inbox, on any engine. */

import { describe, expect, it } from 'vitest';
import { newWebhook } from '../support/records.js';
import type { OpenStore } from './store.js';

/** The cases. */
export function describeWebhooks(open: OpenStore): void {
  describe('webhooks', () => {
    it('stores a message once', async () => {
      const { store } = await open();
      const webhook = newWebhook();
      expect(await store.recordWebhook(webhook, 1)).toBe('first');
      expect(await store.recordWebhook({ ...webhook, body: '{}', source: 'poll' }, 2)).toBe('seen');
      expect(await store.findWebhook('evt_one')).toEqual({
        ...webhook,
        ...{
          state: 'received',
          receivedAtMs: 1,
          appliedAtMs: null,
          attempts: 0,
          nextAttemptAtMs: 1,
          reason: null,
        },
      });
      expect(await store.findWebhook('evt_other')).toBeUndefined();
    });

    it('leases what is due, oldest first, until it is settled', async () => {
      const { store } = await open();
      for (const id of ['evt_a', 'evt_b', 'evt_c', 'evt_d'])
        await store.recordWebhook(newWebhook({ id }), 10);
      const claim = async (nowMs: number, limit = 10) =>
        (await store.claimWebhooks({ nowMs, leaseMs: 5, limit })).map(({ id }) => id);
      expect(await claim(9)).toEqual([]);
      expect(await claim(10, 3)).toEqual(['evt_a', 'evt_b', 'evt_c']);
      await store.settleWebhook('evt_a', { kind: 'applied', atMs: 11 });
      await store.settleWebhook('evt_b', { kind: 'retry', atMs: 20, reason: 'Stripe is down' });
      await store.settleWebhook('evt_c', { kind: 'failed', reason: 'nonsense' });
      expect(await claim(14)).toEqual(['evt_d']);
      expect(await claim(18)).toEqual([]);
      expect(await claim(20)).toEqual(['evt_b', 'evt_d']);
      expect(await store.findWebhook('evt_a')).toMatchObject({
        state: 'applied',
        appliedAtMs: 11,
        attempts: 1,
      });
      expect(await store.findWebhook('evt_b')).toMatchObject({ attempts: 2, reason: 'Stripe is down' });
      expect(await store.findWebhook('evt_c')).toMatchObject({ state: 'failed', reason: 'nonsense' });
    });

    it('leases a message to one process at a time', async () => {
      const { store, openAnother } = await open();
      const another = await openAnother();
      await store.recordWebhook(newWebhook(), 1);
      const claims = [store, another].map((one) => one.claimWebhooks({ nowMs: 1, leaseMs: 5, limit: 10 }));
      expect((await Promise.all(claims)).flat()).toHaveLength(1);
    });

    it('waits for no time that only a clock that was ahead could name', async () => {
      const { store } = await open();
      const aheadMs = 86_400_000;
      await store.recordWebhook(newWebhook(), aheadMs);
      expect(await store.claimWebhooks({ nowMs: 10, leaseMs: 5, limit: 10 })).toHaveLength(1);
    });

    it('keeps what was applied, whatever another process says later', async () => {
      const { store } = await open();
      await store.recordWebhook(newWebhook(), 1);
      await store.settleWebhook('evt_one', { kind: 'failed', reason: 'gone wrong' });
      await store.settleWebhook('evt_one', { kind: 'applied', atMs: 2 });
      await store.settleWebhook('evt_one', { kind: 'retry', atMs: 3, reason: 'late' });
      expect(await store.findWebhook('evt_one')).toMatchObject({ state: 'applied', reason: null });
    });

    it('forgets what was applied and is old by both times, and still knows the rest', async () => {
      const { store } = await open();
      const messages = { evt_old: [10, 10], evt_late: [10, 20], evt_ahead: [20, 10], evt_failed: [10, 10] };
      for (const [id, [createdAtMs = 0, receivedAtMs = 0]] of Object.entries(messages)) {
        await store.recordWebhook(newWebhook({ id, createdAtMs }), receivedAtMs);
        const failed = id === 'evt_failed';
        await store.settleWebhook(
          id,
          failed ? { kind: 'failed', reason: 'poisoned' } : { kind: 'applied', atMs: 20 },
        );
      }
      expect(await store.removeWebhooks(10)).toBe(0);
      expect(await store.removeWebhooks(11)).toBe(1);
      expect(await store.findWebhook('evt_old')).toBeUndefined();
      for (const id of ['evt_late', 'evt_ahead', 'evt_failed'])
        expect(await store.recordWebhook(newWebhook({ id }), 30)).toBe('seen');
    });

    it('lists by state, newest first, page by page', async () => {
      const { store } = await open();
      for (const id of ['evt_a', 'evt_b', 'evt_c']) await store.recordWebhook(newWebhook({ id }), 1);
      await store.settleWebhook('evt_b', { kind: 'failed', reason: 'nonsense' });
      const first = await store.listWebhooks({}, { limit: 2 });
      expect(first.data.map(({ id }) => id)).toEqual(['evt_c', 'evt_b']);
      const second = await store.listWebhooks({}, { limit: 2, cursor: first.nextCursor ?? '' });
      expect(second).toMatchObject({ data: [{ id: 'evt_a' }], nextCursor: null });
      expect((await store.listWebhooks({ state: 'failed' }, { limit: 5 })).data).toMatchObject([
        { id: 'evt_b' },
      ]);
      expect((await store.listWebhooks({ state: 'received' }, { limit: 5 })).data).toHaveLength(2);
    });
  });
}
