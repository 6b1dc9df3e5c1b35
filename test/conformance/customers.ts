/** Customers and subscriptions, on any engine. */

import { describe, expect, it } from 'vitest';
import { testStartMs } from '../support/host.js';
import { stripeCustomer, subscriptionOf } from '../support/records.js';
import type { OpenStore } from './store.js';

/** The cases. */
export function describeCustomers(open: OpenStore): void {
  describe('customers', () => {
    it('adds a customer and brings it up to what Stripe says', async () => {
      const { store } = await open();
      const added = await store.recordCustomer(stripeCustomer({ email: 'old@example.com' }));
      expect(added).toMatchObject({
        id: 'cus_one',
        email: 'old@example.com',
        deletedAtMs: null,
        subscriptions: [],
      });
      const changed = await store.recordCustomer(stripeCustomer({ email: null, name: 'New' }));
      expect(changed).toEqual({ ...added, email: null, name: 'New' });
      expect(await store.findCustomer('cus_one')).toEqual(changed);
      expect(await store.findCustomer('cus_two')).toBeUndefined();
    });

    it('keeps a deleted customer deleted, with what was known', async () => {
      const { store, host } = await open();
      await store.recordCustomer(stripeCustomer());
      const gone = await store.recordCustomer(stripeCustomer({ email: null, name: null, deleted: true }));
      expect(gone).toMatchObject({ email: 'one@example.com', name: 'One', deletedAtMs: testStartMs });
      await host.advance(1_000);
      expect(await store.recordCustomer(stripeCustomer())).toMatchObject({ deletedAtMs: testStartMs });
    });

    it('lists newest first, page by page, while others are added', async () => {
      const { store } = await open();
      for (const name of ['a', 'b', 'c']) await store.recordCustomer(stripeCustomer({ id: `cus_${name}` }));
      const first = await store.listCustomers({ limit: 2 });
      expect(first.data.map(({ id }) => id)).toEqual(['cus_c', 'cus_b']);
      await store.recordCustomer(stripeCustomer({ id: 'cus_d' }));
      const second = await store.listCustomers({ limit: 2, cursor: first.nextCursor ?? '' });
      expect(second).toMatchObject({ data: [{ id: 'cus_a' }], nextCursor: null });
    });

    it('refuses a cursor that is not one of its own', async () => {
      const { store } = await open();
      for (const cursor of [
        '',
        'garbage',
        '%%%',
        'a'.repeat(10_000),
        Buffer.from('keys:1').toString('base64url'),
      ]) {
        await expect(store.listCustomers({ limit: 2, cursor })).rejects.toMatchObject({ code: 'invalid' });
      }
      await expect(store.listCustomers({ limit: 0 })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('suspends and resumes', async () => {
      const { store } = await open();
      await store.recordCustomer(stripeCustomer());
      expect(await store.recordSuspension('cus_one', 5)).toMatchObject({ suspendedAtMs: 5 });
      await store.recordCustomer(stripeCustomer({ name: 'Still suspended' }));
      expect(await store.findCustomer('cus_one')).toMatchObject({ suspendedAtMs: 5 });
      expect(await store.recordSuspension('cus_one', null)).toMatchObject({ suspendedAtMs: null });
      expect(await store.recordSuspension('cus_two', 5)).toBeUndefined();
    });
  });

  describe('subscriptions', () => {
    it('keeps all that Stripe told', async () => {
      const { store } = await open();
      await store.recordCustomer(stripeCustomer());
      const subscription = subscriptionOf('cus_one', {
        cancelAtPeriodEnd: true,
        cancelAtMs: 7,
        endedAtMs: 8,
      });
      expect(await store.recordSubscription(subscription)).toBe('recorded');
      expect((await store.findCustomer('cus_one'))?.subscriptions).toEqual([subscription]);
      expect((await store.listCustomers({ limit: 1 })).data[0]?.subscriptions).toEqual([subscription]);
    });

    it('never writes an older reading over a newer one', async () => {
      const { store } = await open();
      await store.recordCustomer(stripeCustomer());
      await store.recordSubscription(subscriptionOf('cus_one', { readAtMs: 200 }));
      const older = subscriptionOf('cus_one', { readAtMs: 199, status: 'canceled' });
      expect(await store.recordSubscription(older)).toBe('stale');
      expect((await store.findCustomer('cus_one'))?.subscriptions[0]?.status).toBe('active');
      expect(await store.recordSubscription({ ...older, readAtMs: 200 })).toBe('recorded');
    });

    it('says when the customer is not known', async () => {
      const { store } = await open();
      expect(await store.recordSubscription(subscriptionOf('cus_one'))).toBe('unknown');
    });

    it('keeps since when a subscription is past due, for as long as it is', async () => {
      const { store } = await open();
      await store.recordCustomer(stripeCustomer());
      const read = async (status: string, readAtMs: number) => {
        await store.recordSubscription(subscriptionOf('cus_one', { status, readAtMs }));
        return (await store.findCustomer('cus_one'))?.subscriptions[0]?.pastDueSinceMs;
      };
      expect(await read('active', 1)).toBeNull();
      expect(await read('past_due', 2)).toBe(2);
      expect(await read('past_due', 3)).toBe(2);
      expect(await read('active', 4)).toBeNull();
      expect(await read('past_due', 5)).toBe(5);
    });

    it('takes any word as a status', async () => {
      const { store } = await open();
      await store.recordCustomer(stripeCustomer());
      expect(await store.recordSubscription(subscriptionOf('cus_one', { status: 'paused_by_moon' }))).toBe(
        'recorded',
      );
    });
  });
}
