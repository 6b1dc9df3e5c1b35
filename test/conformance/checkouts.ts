/** Checkout sessions, on any engine. */

import { describe, expect, it } from 'vitest';
import { newKey, recordCustomer, stripeCustomer } from '../support/records.js';
import type { OpenStore } from './store.js';

/** The cases. */
export function describeCheckouts(open: OpenStore): void {
  describe('checkouts', () => {
    it('goes from the order to the key', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.recordCheckout('cs_one', 1);
      await store.recordCheckout('cs_one', 2);
      const ordered = { sessionId: 'cs_one', customerId: null, createdAtMs: 1, provisionedAtMs: null };
      expect(await store.findCheckout('cs_one')).toEqual({ ...ordered, claimedAtMs: null, keyId: null });
      await store.recordProvisioned('cs_one', 'cus_one', 3);
      await store.recordProvisioned('cs_one', 'cus_one', 4);
      expect(await store.claimCheckout('cs_one', newKey('cus_one', { createdAtMs: 5 }))).toBe('claimed');
      expect(await store.findCheckout('cs_one')).toEqual({
        ...{ sessionId: 'cs_one', customerId: 'cus_one', createdAtMs: 1, provisionedAtMs: 3 },
        ...{ claimedAtMs: 5, keyId: 'key_cus_one' },
      });
      expect(await store.findKey('key_cus_one')).toMatchObject({ customerId: 'cus_one' });
      expect(await store.findCheckout('cs_other')).toBeUndefined();
    });

    it('makes one key, however often the button is pressed and in however many processes', async () => {
      const { store, openAnother } = await open();
      const another = await openAnother();
      await recordCustomer(store, stripeCustomer());
      await store.recordProvisioned('cs_one', 'cus_one', 1);
      const claims = await Promise.all(
        [store, another, store].map((one, index) =>
          one.claimCheckout('cs_one', newKey('cus_one', { id: `key_${index}` })),
        ),
      );
      expect(claims.sort()).toEqual(['claimed', 'taken', 'taken']);
      expect((await store.listKeys({ nowMs: 0 }, { limit: 10 })).data).toHaveLength(1);
    });

    it('knows a session that was started elsewhere once it is provisioned', async () => {
      const { store } = await open();
      await expect(store.recordProvisioned('cs_one', 'cus_one', 1)).rejects.toMatchObject({
        code: 'not_found',
      });
      await recordCustomer(store, stripeCustomer());
      await store.recordProvisioned('cs_one', 'cus_one', 1);
      expect(await store.findCheckout('cs_one')).toMatchObject({ customerId: 'cus_one', createdAtMs: 1 });
    });

    it('forgets old sessions that nobody completed, and no others', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      for (const session of ['cs_abandoned', 'cs_late', 'cs_ready', 'cs_claimed'])
        await store.recordCheckout(session, 10);
      await store.recordCheckout('cs_young', 11);
      for (const session of ['cs_ready', 'cs_claimed']) await store.recordProvisioned(session, 'cus_one', 12);
      await store.claimCheckout('cs_claimed', newKey('cus_one'));
      expect(await store.removeCheckouts(10)).toBe(0);
      expect(await store.removeCheckouts(11)).toBe(2);
      expect(await store.findCheckout('cs_abandoned')).toBeUndefined();
      for (const session of ['cs_young', 'cs_ready', 'cs_claimed'])
        expect(await store.findCheckout(session)).toMatchObject({ sessionId: session });
      // One that is completed after all goes on to its key.
      await store.recordProvisioned('cs_late', 'cus_one', 13);
      const key = newKey('cus_one', { id: 'key_late' });
      expect(await store.claimCheckout('cs_late', key)).toBe('claimed');
    });

    it('makes no key before the session is complete', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.recordCheckout('cs_one', 1);
      for (const session of ['cs_one', 'cs_unknown']) {
        await expect(store.claimCheckout(session, newKey('cus_one'))).rejects.toMatchObject({
          code: 'not_found',
        });
      }
      expect(await store.findKey('key_cus_one')).toBeUndefined();
    });
  });
}
