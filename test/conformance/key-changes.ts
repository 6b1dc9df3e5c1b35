/** What happens to keys after they were made, and the audit log of it, on any engine. */

import { describe, expect, it } from 'vitest';
import type { Act } from '../../src/domain/audit.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { hashOf, newKey, recordCustomer, stripeCustomer, subscriptionOf } from '../support/records.js';
import type { OpenStore } from './store.js';

const act: Act = { actor: 'cli:ada', atMs: testStartMs + 5 };

/** The cases. */
export function describeKeyChanges(open: OpenStore): void {
  describe('changes of keys', () => {
    it('keeps what is decided about a key, and changes only what is named', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const terms = {
        name: 'CI',
        metadata: { team: 'a', stage: 'x' },
        scopes: ['read'],
        ipAllow: ['192.0.2.0/24'],
        expiresAtMs: testStartMs + 10,
      };
      const key = await store.addKey(newKey('cus_one', terms), 'system');
      expect(key).toMatchObject(terms);
      expect(await store.changeKey(key.id, { scopes: ['write'] }, act)).toEqual({
        ...key,
        scopes: ['write'],
      });
      const cleared = {
        name: null,
        expiresAtMs: null,
        scopes: [],
        ipAllow: [],
        metadata: { stage: null, more: 'y' },
      };
      expect(await store.changeKey(key.id, cleared, act)).toMatchObject({
        ...cleared,
        metadata: { team: 'a', more: 'y' },
      });
      expect(await store.findKey(key.id)).toMatchObject({ name: null, metadata: { team: 'a', more: 'y' } });
      expect(await store.changeKey('key_none', { name: 'x' }, act)).toBeUndefined();
    });

    it('adds all keys of an order or none', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const good = newKey('cus_one', { id: 'key_a', limits: { rate: { count: 1, perMs: 1000 } } });
      const other = newKey('cus_one', { id: 'key_b' });
      await expect(store.addKeys([good, newKey('cus_none')], 'system')).rejects.toMatchObject({
        code: 'not_found',
      });
      await expect(store.addKeys([good, { ...other, id: 'key_a' }], 'system')).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await store.findKey('key_a')).toBeUndefined();
      expect((await store.addKeys([good, other], 'system')).map(({ id }) => id)).toEqual(['key_a', 'key_b']);
      expect((await store.findLimits({ keyId: 'key_a' })).key).toEqual({ rate: { count: 1, perMs: 1000 } });
    });

    it('rotates once: both keys work until the end of the grace', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const old = await store.addKey(newKey('cus_one', { id: 'key_old' }), 'system');
      const successor = newKey('cus_one', { id: 'key_new' });
      const rotation = { endsAtMs: testStartMs + 100, actor: act.actor };
      const rotated = await store.rotateKey('key_old', successor, rotation);
      expect(rotated).toMatchObject({
        old: { ...old, revokedAtMs: testStartMs + 100 },
        key: { id: 'key_new' },
      });
      expect(await ids(store, testStartMs + 99)).toEqual(['key_new', 'key_old']);
      expect(await ids(store, testStartMs + 100)).toEqual(['key_new']);
      const again = newKey('cus_one', { id: 'key_again' });
      expect(await store.rotateKey('key_old', again, rotation)).toBe('ended');
      expect(await store.rotateKey('key_none', again, rotation)).toBeUndefined();
      expect(await store.findKey('key_again')).toBeUndefined();
      expect(await store.revokeKey('key_old', act)).toBe('revoked');
      expect(await store.findKey('key_old')).toMatchObject({ revokedAtMs: act.atMs });
    });

    it('never prolongs a key by its rotation', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.addKey(newKey('cus_one', { expiresAtMs: testStartMs + 50 }), 'system');
      const rotation = { endsAtMs: testStartMs + 100, actor: act.actor };
      const rotated = await store.rotateKey('key_cus_one', newKey('cus_one', { id: 'key_new' }), rotation);
      expect(rotated).toMatchObject({ old: { revokedAtMs: testStartMs + 50 } });
    });

    it('revokes every key of a customer, and of nobody else', async () => {
      const { store } = await open();
      for (const id of ['cus_one', 'cus_two']) await recordCustomer(store, stripeCustomer({ id }));
      await store.addKey(newKey('cus_one', { id: 'key_a' }), 'system');
      await store.addKey(newKey('cus_one', { id: 'key_b' }), 'system');
      await store.addKey(newKey('cus_two', { id: 'key_c' }), 'system');
      await store.revokeKey('key_a', act);
      const later = { ...act, atMs: act.atMs + 1 };
      expect((await store.revokeKeysOf('cus_one', later))?.map(({ id }) => id)).toEqual(['key_b']);
      expect(await store.revokeKeysOf('cus_one', later)).toEqual([]);
      expect(await store.revokeKeysOf('cus_none', later)).toBeUndefined();
      expect(await ids(store, testStartMs + 100)).toEqual(['key_c']);
    });

    it('lists the working keys that end soon', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const ends: Record<string, number | null> = { key_a: 5, key_b: 10, key_c: 11, key_d: null, key_e: -1 };
      for (const [id, end] of Object.entries(ends)) {
        const expiresAtMs = end === null ? null : testStartMs + end;
        await store.addKey(newKey('cus_one', { id, expiresAtMs }), 'system');
      }
      await store.rotateKey('key_d', newKey('cus_one', { id: 'key_f' }), {
        endsAtMs: testStartMs + 7,
        actor: act.actor,
      });
      const filter = { nowMs: testStartMs, endingBeforeMs: testStartMs + 11 };
      const page = await store.listKeys(filter, { limit: 10 });
      expect(page.data.map(({ id }) => id)).toEqual(['key_d', 'key_b', 'key_a']);
    });
  });

  describe('the audit log', () => {
    it('tells who changed what, newest first, page by page and by filter', async () => {
      const { store } = await open();
      for (const id of ['cus_one', 'cus_two']) await recordCustomer(store, stripeCustomer({ id }));
      await store.addKey(newKey('cus_one', { id: 'key_a', name: 'CI' }), 'cli:ada');
      await store.addKey(newKey('cus_two', { id: 'key_b' }), 'portal:key_c');
      await store.changeKey('key_a', { scopes: ['read'] }, act);
      await store.changeKey('key_none', { scopes: ['read'] }, act);
      await store.revokeKey('key_a', act);
      await store.revokeKey('key_a', act);
      const { data, nextCursor } = await store.listAudit({}, { limit: 3 });
      expect(data.map(({ action, subject, actor }) => [action, subject, actor])).toEqual([
        ['key.revoked', 'key_a', 'cli:ada'],
        ['key.changed', 'key_a', 'cli:ada'],
        ['key.created', 'key_b', 'portal:key_c'],
      ]);
      expect(data[1]).toMatchObject({ atMs: act.atMs, customerId: 'cus_one', details: { scopes: ['read'] } });
      const rest = await store.listAudit({}, { limit: 3, cursor: nextCursor ?? undefined });
      expect(rest).toMatchObject({ data: [{ subject: 'key_a', details: { name: 'CI' } }], nextCursor: null });
      const count = async (filter: Parameters<Store['listAudit']>[0]) =>
        (await store.listAudit(filter, { limit: 10 })).data.length;
      expect(await count({ actor: 'cli:ada' })).toBe(3);
      expect(await count({ action: 'key.created' })).toBe(2);
      expect(await count({ subject: 'key_b' })).toBe(1);
      expect(await count({ customerId: 'cus_one', action: 'key.created' })).toBe(1);
      expect(await count({ fromMs: act.atMs })).toBe(2);
      expect(await count({ toMs: act.atMs })).toBe(2);
    });

    it('tells of access that was taken away and given back, once each', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer(), subscriptionOf('cus_one'));
      for (const suspended of [true, true, false, false])
        await store.recordSuspension('cus_one', suspended, act);
      for (const closing of [true, true, false]) await store.recordClosing('cus_one', closing, act);
      await store.recordSuspension('cus_none', true, act);
      const { data } = await store.listAudit({ customerId: 'cus_one' }, { limit: 10 });
      expect(data.map(({ action }) => action.replace('customer.', ''))).toEqual([
        'resumed',
        'cancelled',
        'resumed',
        'suspended',
      ]);
    });

    it('says nothing of a change that failed, and nothing of the secret', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.addKey(newKey('cus_one'), 'system');
      await expect(store.addKey(newKey('cus_one'), 'system')).rejects.toMatchObject({ code: 'conflict' });
      const { data } = await store.listAudit({}, { limit: 10 });
      expect(data).toHaveLength(1);
      expect(JSON.stringify(data)).not.toContain(Buffer.from(hashOf('key_cus_one')).toString('hex'));
    });
  });
}

async function ids(store: Store, nowMs: number): Promise<string[]> {
  return (await store.listKeys({ nowMs, status: 'active' }, { limit: 10 })).data.map(({ id }) => id);
}
