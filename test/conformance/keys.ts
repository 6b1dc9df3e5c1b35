/** API keys and the access revision, on any engine. */

import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import {
  hashOf,
  newKey,
  recordCustomer,
  recordSubscription,
  stripeCustomer,
  subscriptionOf,
} from '../support/records.js';
import type { OpenStore } from './store.js';

/** The cases. */
export function describeKeys(open: OpenStore): void {
  describe('keys', () => {
    it('finds a key by the hash of its secret, with its customer', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await recordSubscription(store, subscriptionOf('cus_one'));
      const key = await store.addKey(
        newKey('cus_one', { scopes: ['read', 'write'], name: 'CI', expiresAtMs: 9 }),
        'system',
      );
      expect(key).toMatchObject({
        customerId: 'cus_one',
        scopes: ['read', 'write'],
        name: 'CI',
        expiresAtMs: 9,
      });
      expect(await store.findKeyByHash(hashOf('key_cus_one'))).toEqual({
        key,
        customer: await store.findCustomer('cus_one'),
      });
      expect(await store.findKey(key.id)).toEqual(key);
      expect(await store.findKeyByHash(hashOf('another'))).toBeUndefined();
      expect(await store.findKey('key_other')).toBeUndefined();
    });

    it('refuses a key without a customer, and a second one of the same name or secret', async () => {
      const { store } = await open();
      await expect(store.addKey(newKey('cus_one'), 'system')).rejects.toMatchObject({ code: 'not_found' });
      await recordCustomer(store, stripeCustomer());
      await store.addKey(newKey('cus_one'), 'system');
      await expect(store.addKey(newKey('cus_one'), 'system')).rejects.toMatchObject({ code: 'conflict' });
      const sameSecret = newKey('cus_one', { id: 'key_new', hash: hashOf('key_cus_one') });
      await expect(store.addKey(sameSecret, 'system')).rejects.toMatchObject({ code: 'conflict' });
    });

    it('revokes once', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.addKey(newKey('cus_one'), 'system');
      expect(await store.revokeKey('key_cus_one', { actor: 'system', atMs: 5 })).toBe('revoked');
      expect(await store.revokeKey('key_cus_one', { actor: 'system', atMs: 9 })).toBe('already');
      expect(await store.revokeKey('key_none', { actor: 'system', atMs: 9 })).toBeUndefined();
      expect(await store.findKey('key_cus_one')).toMatchObject({ revokedAtMs: 5 });
    });

    it('lists by customer, status and last use, newest first', async () => {
      const { store } = await open();
      const nowMs = testStartMs;
      await addKeys(store);
      const ids = async (filter: Omit<Parameters<Store['listKeys']>[0], 'nowMs'>) =>
        (await store.listKeys({ nowMs, ...filter }, { limit: 10 })).data.map(({ id }) => id);
      expect(await ids({})).toEqual(['key_other', 'key_both', 'key_revoked', 'key_expired', 'key_active']);
      expect(await ids({ customerId: 'cus_two' })).toEqual(['key_other']);
      expect(await ids({ customerId: 'cus_none' })).toEqual([]);
      expect(await ids({ status: 'active' })).toEqual(['key_other', 'key_active']);
      expect(await ids({ status: 'expired' })).toEqual(['key_expired']);
      expect(await ids({ status: 'revoked' })).toEqual(['key_both', 'key_revoked']);
      await store.recordKeyUses([{ keyNo: (await store.findKey('key_active'))?.no ?? 0, atMs: nowMs - 10 }]);
      expect(await ids({ status: 'active', unusedSinceMs: nowMs - 10 })).toEqual(['key_other']);
      expect(await ids({ status: 'active', unusedSinceMs: nowMs - 9 })).toEqual(['key_other', 'key_active']);
    });

    it('lists page by page', async () => {
      const { store } = await open();
      await addKeys(store);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.listKeys(
          { nowMs: testStartMs, customerId: 'cus_one' },
          { limit: 3, cursor },
        );
        seen.push(...page.data.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      expect(seen).toEqual(['key_both', 'key_revoked', 'key_expired', 'key_active']);
    });

    it('never moves a last use backwards', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const { no } = await store.addKey(newKey('cus_one'), 'system');
      await store.recordKeyUses([
        { keyNo: no, atMs: 20 },
        { keyNo: no, atMs: 10 },
        { keyNo: 4711, atMs: 10 },
      ]);
      await store.recordKeyUses([]);
      expect(await store.findKey('key_cus_one')).toMatchObject({ lastUsedAtMs: 20 });
    });
  });

  describe('the access revision', () => {
    it('changes with every write that decides about access, as another process sees it', async () => {
      const { store, openAnother } = await open();
      const another = await openAnother();
      const steps: (() => Promise<unknown>)[] = [
        () => recordCustomer(store, stripeCustomer()),
        () => recordCustomer(store, stripeCustomer({ name: 'New' })),
        () => recordSubscription(store, subscriptionOf('cus_one')),
        () => recordSubscription(store, subscriptionOf('cus_one', { status: 'unpaid' })),
        () => store.recordSuspension('cus_one', true, { actor: 'system', atMs: 5 }),
        () => store.addKey(newKey('cus_one'), 'system'),
        () => store.revokeKey('key_cus_one', { actor: 'system', atMs: 5 }),
      ];
      for (const step of steps) {
        const before = await another.accessRevision();
        await step();
        expect(await another.accessRevision(), step.toString()).not.toBe(before);
        expect(await store.accessRevision()).toBe(await another.accessRevision());
      }
    });

    it('stays while nothing changes for access', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await recordSubscription(store, subscriptionOf('cus_one', { readAtMs: 1 }));
      const { no } = await store.addKey(newKey('cus_one'), 'system');
      const before = await store.accessRevision();
      await store.recordKeyUses([{ keyNo: no, atMs: testStartMs }]);
      await recordCustomer(store, stripeCustomer());
      await recordSubscription(store, subscriptionOf('cus_one', { readAtMs: 2 }));
      await store.recordSuspension('cus_one', false, { actor: 'system', atMs: 5 });
      expect(await store.accessRevision()).toBe(before);
    });
  });
}

async function addKeys(store: Store): Promise<void> {
  await recordCustomer(store, stripeCustomer({ id: 'cus_one' }));
  await recordCustomer(store, stripeCustomer({ id: 'cus_two' }));
  await store.addKey(newKey('cus_one', { id: 'key_active', expiresAtMs: testStartMs + 1 }), 'system');
  await store.addKey(newKey('cus_one', { id: 'key_expired', expiresAtMs: testStartMs }), 'system');
  await store.addKey(newKey('cus_one', { id: 'key_revoked' }), 'system');
  await store.addKey(newKey('cus_one', { id: 'key_both', expiresAtMs: testStartMs - 1 }), 'system');
  await store.addKey(newKey('cus_two', { id: 'key_other', createdAtMs: testStartMs - 20 }), 'system');
  await store.revokeKey('key_revoked', { actor: 'system', atMs: testStartMs });
  await store.revokeKey('key_both', { actor: 'system', atMs: testStartMs });
}
