/** Customers and subscriptions, on any engine. */

import { describe, expect, it } from 'vitest';
import type { Customer } from '../../src/domain/customer.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { recordCustomer, recordSubscription, stripeCustomer, subscriptionOf } from '../support/records.js';
import type { OpenStore } from './store.js';

/** The cases. */
export function describeCustomers(open: OpenStore): void {
  describe('customers', () => {
    it('adds a customer and brings it up to what Stripe says', async () => {
      const { store } = await open();
      const added = await recordCustomer(store, stripeCustomer({ email: 'old@example.com' }));
      expect(added).toMatchObject({
        id: 'cus_one',
        email: 'old@example.com',
        deletedAtMs: null,
        subscriptions: [],
      });
      const changed = await recordCustomer(store, stripeCustomer({ email: null, name: 'New' }));
      expect(changed).toEqual({ ...added, email: null, name: 'New', readings: 2 });
      expect(await store.findCustomer('cus_one')).toEqual(changed);
      expect(await store.findCustomer('cus_two')).toBeUndefined();
    });

    it('keeps a deleted customer deleted, with what was known', async () => {
      const { store, host } = await open();
      await recordCustomer(store, stripeCustomer());
      const gone = await recordCustomer(store, stripeCustomer({ email: null, name: null, deleted: true }));
      expect(gone).toMatchObject({ email: 'one@example.com', name: 'One', deletedAtMs: testStartMs });
      await host.advance(1_000);
      expect(await recordCustomer(store, stripeCustomer())).toMatchObject({ deletedAtMs: testStartMs });
    });

    it('lists newest first, page by page, while others are added', async () => {
      const { store } = await open();
      for (const name of ['a', 'b', 'c']) await recordCustomer(store, stripeCustomer({ id: `cus_${name}` }));
      const first = await store.listCustomers({ limit: 2 });
      expect(first.data.map(({ id }) => id)).toEqual(['cus_c', 'cus_b']);
      await recordCustomer(store, stripeCustomer({ id: 'cus_d' }));
      const second = await store.listCustomers({ limit: 2, cursor: first.nextCursor ?? '' });
      expect(second).toMatchObject({ data: [{ id: 'cus_a' }], nextCursor: null });
    });

    it('knows which prices were subscribed to', async () => {
      const { store } = await open();
      const { id } = await recordCustomer(store, stripeCustomer());
      expect(await store.isSubscribed('price_1')).toBe(false);
      await recordSubscription(store, subscriptionOf(id, { priceId: 'price_1' }));
      expect(await store.isSubscribed('price_1')).toBe(true);
      expect(await store.isSubscribed('price_')).toBe(false);
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
      await recordCustomer(store, stripeCustomer());
      expect(await store.recordSuspension('cus_one', true, { actor: 'system', atMs: 5 })).toMatchObject({
        suspendedAtMs: 5,
      });
      await recordCustomer(store, stripeCustomer({ name: 'Still suspended' }));
      expect(await store.findCustomer('cus_one')).toMatchObject({ suspendedAtMs: 5 });
      expect(await store.recordSuspension('cus_one', false, { actor: 'system', atMs: 9 })).toMatchObject({
        suspendedAtMs: null,
      });
      expect(await store.recordSuspension('cus_two', true, { actor: 'system', atMs: 5 })).toBeUndefined();
    });
  });

  describe('subscriptions', () => {
    it('keeps all that Stripe told', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const subscription = subscriptionOf('cus_one', {
        cancelAtPeriodEnd: true,
        cancelAtMs: 7,
        endedAtMs: 8,
      });
      await recordSubscription(store, subscription);
      expect((await store.findCustomer('cus_one'))?.subscriptions).toEqual([subscription]);
      expect((await store.listCustomers({ limit: 1 })).data[0]?.subscriptions).toEqual([subscription]);
    });

    it('writes a reading only over the one that it follows, in whichever process', async () => {
      const { store, openAnother } = await open();
      const another = await openAnother();
      const read = (from: Store, follows: number, status: string) =>
        from.recordReading({
          customer: stripeCustomer({ name: status }),
          subscriptions: [subscriptionOf('cus_one', { status })],
          follows,
        });
      expect(await read(store, 0, 'trialing')).toMatchObject({ readings: 1 });
      expect(await read(another, 0, 'canceled')).toBe('stale');
      expect(await read(another, 1, 'active')).toMatchObject({ readings: 2, name: 'active' });
      expect(await read(store, 1, 'past_due')).toBe('stale');
      expect(await store.findCustomer('cus_one')).toMatchObject({
        ...{ name: 'active', readings: 2 },
        subscriptions: [{ status: 'active' }],
      });
    });

    it('marks what is being cancelled, through readings, until it has ended', async () => {
      const { store } = await open();
      await recordCustomer(
        store,
        stripeCustomer(),
        subscriptionOf('cus_one', { id: 'sub_live' }),
        subscriptionOf('cus_one', { id: 'sub_over', endedAtMs: 5 }),
      );
      const marks = (customer: Customer | undefined) =>
        customer?.subscriptions.map(({ closingAtMs }) => closingAtMs);
      expect(marks(await store.recordClosing('cus_one', true, { actor: 'system', atMs: 7 }))).toEqual([
        7,
        null,
      ]);
      await recordSubscription(store, subscriptionOf('cus_one', { id: 'sub_live', status: 'past_due' }));
      expect(marks(await store.recordClosing('cus_one', true, { actor: 'system', atMs: 9 }))).toEqual([
        7,
        null,
      ]);
      expect(marks(await store.findCustomer('cus_one'))).toEqual([7, null]);
      expect(marks(await store.recordClosing('cus_one', false, { actor: 'system', atMs: 9 }))).toEqual([
        null,
        null,
      ]);
      expect(await store.recordClosing('cus_other', true, { actor: 'system', atMs: 7 })).toBeUndefined();
    });

    it('keeps since when a subscription is past due, for as long as it is', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const read = async (status: string, readAtMs: number) => {
        await recordSubscription(store, subscriptionOf('cus_one', { status, readAtMs }));
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
      await recordCustomer(store, stripeCustomer());
      const subscription = subscriptionOf('cus_one', { status: 'paused_by_moon' });
      expect((await recordSubscription(store, subscription)).subscriptions).toEqual([subscription]);
    });
  });
}
