/** Limits, on any engine. */

import { describe, expect, it } from 'vitest';
import type { Limits } from '../../src/domain/limit.js';
import { recordCustomer, stripeCustomer } from '../support/records.js';
import type { OpenStore } from './store.js';

const limits: Limits = {
  rate: { count: 10, perMs: 1000 },
  quota: null,
  spendCapMinor: 5000,
  prepaid: { units: 100, sinceMs: 7 },
};

const act = { actor: 'system', atMs: 5 } as const;

/** The cases. */
export function describeLimits(open: OpenStore): void {
  describe('limits', () => {
    it('keeps what is set at each place, lifted limits too, and forgets what is removed', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const nothing = { key: undefined, customer: undefined, plan: undefined };
      const caller = { keyId: 'key_cus_one', customerId: 'cus_one', priceId: 'price_one' };
      expect(await store.findLimits(caller)).toEqual(nothing);
      expect(await store.recordLimits({ kind: 'customer', customerId: 'cus_one' }, limits, act)).toBe(
        'recorded',
      );
      expect(await store.recordLimits({ kind: 'plan', priceId: 'price_one' }, { maxInFlight: 3 }, act)).toBe(
        'recorded',
      );
      expect(await store.findLimits(caller)).toEqual({
        key: undefined,
        customer: limits,
        plan: { maxInFlight: 3 },
      });
      expect(await store.findLimits({ customerId: 'cus_one' })).toEqual({ ...nothing, customer: limits });
      await store.recordLimits({ kind: 'plan', priceId: 'price_one' }, undefined, act);
      expect(await store.findLimits(caller)).toEqual({ ...nothing, customer: limits });
    });

    it('changes what is named, and leaves what others set at the same time', async () => {
      const { store, openAnother } = await open();
      await recordCustomer(store, stripeCustomer());
      const another = await openAnother();
      const subject = { kind: 'customer', customerId: 'cus_one' } as const;
      const both = await Promise.all([
        store.recordLimits(subject, { ...limits, quota: undefined }, act),
        another.recordLimits(subject, { maxInFlight: 1, quota: undefined }, act),
      ]);
      expect(both).toEqual(['recorded', 'recorded']);
      const { quota: _, ...others } = limits;
      expect((await store.findLimits({ customerId: 'cus_one' })).customer).toEqual({
        ...others,
        maxInFlight: 1,
      });
      const [last] = (await store.listAudit({ action: 'limits.set' }, { limit: 1 })).data;
      expect(last).toMatchObject({ details: { limits: { ...others, maxInFlight: 1 } } });
    });

    it('knows whom it has', async () => {
      const { store } = await open();
      expect(await store.recordLimits({ kind: 'customer', customerId: 'cus_one' }, limits, act)).toBe(
        'unknown',
      );
      expect(await store.recordLimits({ kind: 'key', keyId: 'key_cus_one' }, limits, act)).toBe('unknown');
    });

    it('notes who set them', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.recordLimits({ kind: 'customer', customerId: 'cus_one' }, limits, act);
      await store.recordLimits({ kind: 'plan', priceId: 'price_one' }, undefined, act);
      await store.recordLimits({ kind: 'customer', customerId: 'cus_two' }, limits, act);
      const { data } = await store.listAudit({ action: 'limits.set' }, { limit: 10 });
      expect(data).toMatchObject([
        { subject: 'price_one', customerId: null, details: { limits: null } },
        { subject: 'cus_one', customerId: 'cus_one', actor: 'system', atMs: 5, details: { limits } },
      ]);
    });

    it('tells other processes of every change, and of nothing else', async () => {
      const { store, openAnother } = await open();
      const another = await openAnother();
      await recordCustomer(store, stripeCustomer());
      const subject = { kind: 'customer', customerId: 'cus_one' } as const;
      for (const [set, changes] of [
        [limits, true],
        [limits, false],
        [{ ...limits, rate: null }, true],
        [undefined, true],
        [undefined, false],
      ] as const) {
        const before = await another.accessRevision();
        await store.recordLimits(subject, set, act);
        expect((await another.accessRevision()) !== before, JSON.stringify(set)).toBe(changes);
      }
    });
  });
}
