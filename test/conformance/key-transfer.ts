/** Keys that come from elsewhere and go there, on any engine. */

import { describe, expect, it } from 'vitest';
import type { Act } from '../../src/domain/audit.js';
import { type ImportedKey, lookupSharersMax } from '../../src/domain/key-hash.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { hashOf, newKey, recordCustomer, stripeCustomer } from '../support/records.js';
import type { OpenStore } from './store.js';

const act: Act = { actor: 'cli:ada', atMs: testStartMs };

function imported(id: string, fields: Partial<ImportedKey> = {}): ImportedKey {
  const { hash, ...key } = newKey('cus_one', { id });
  return {
    ...key,
    hash: { kind: 'sha256', digest: hash },
    foreign: true,
    revokedAtMs: null,
    lastUsedAtMs: null,
    ...fields,
  };
}

function slow(id: string, lookup: string): ImportedKey {
  return imported(id, { hash: { kind: 'bcrypt', encoded: `$2b$${id}`, lookup } });
}

/** The cases. */
export function describeKeyTransfer(open: OpenStore): void {
  describe('transfer of keys', () => {
    it('hands every key over with its terms, hash and limits, page by page', async () => {
      const { store } = await open();
      const { store: other } = await open();
      for (const one of [store, other]) await recordCustomer(one, stripeCustomer());
      const whole = imported('key_a', {
        name: 'CI',
        metadata: { team: 'a' },
        scopes: ['read'],
        ipAllow: ['192.0.2.0/24'],
        limits: { rate: { count: 5, perMs: 1000 } },
        expiresAtMs: 9,
        revokedAtMs: 8,
        lastUsedAtMs: 7,
      });
      const peppered = imported('key_b', { hash: { kind: 'hmac-sha256', digest: hashOf('pepper') } });
      await store.importKeys([whole, peppered, slow('key_c', 'abcd')], act);
      await store.addKey(newKey('cus_one', { id: 'key_d' }), 'system');
      expect(await handOver(store, other)).toEqual(['imported', 'imported', 'imported', 'imported']);
      expect(await handOver(store, other)).toEqual(['known', 'known', 'known', 'known']);
      expect(await listAll(other)).toEqual(await listAll(store));
      const { no: _, ...key } = (await other.findKey('key_a')) ?? { no: 0 };
      expect(key).toMatchObject({ customerId: 'cus_one', name: 'CI', scopes: ['read'], lastUsedAtMs: 7 });
      expect((await other.findLimits({ keyId: 'key_a' })).key).toEqual(whole.limits);
      expect(await other.findKeyByHash(hashOf('key_d'))).toMatchObject({
        key: { id: 'key_d', foreign: false },
      });
    });

    it('knows a key again by its hash, and tells what cannot be taken over', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.importKeys([imported('key_a'), slow('key_b', 'abcd')], act);
      const sameHash = imported('key_new', { hash: { kind: 'sha256', digest: hashOf('key_a') } });
      const sameId = imported('key_a', { hash: { kind: 'sha256', digest: hashOf('other') } });
      const renamed = { ...slow('key_b', 'abcd'), id: 'key_c' };
      const nobody = imported('key_d', { customerId: 'cus_none' });
      expect(await store.importKeys([sameHash, sameId, renamed, nobody], act)).toEqual([
        'known',
        'conflict',
        'known',
        'no_customer',
      ]);
      expect(await store.findKey('key_new')).toBeUndefined();
    });

    it('lets only so many slow hashes wait under one lookup', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const keys = Array.from({ length: lookupSharersMax + 1 }, (_, index) => slow(`key_${index}`, 'abcd'));
      expect((await store.importKeys(keys, act)).at(-1)).toBe('crowded');
      expect(await store.findWaitingHashes(['abcd'])).toHaveLength(lookupSharersMax);
      expect(await store.importKeys([slow('key_more', 'abce')], act)).toEqual(['imported']);
    });

    it('replaces a waiting hash by SHA-256 once, for good', async () => {
      const { store, openAnother } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.importKeys([slow('key_a', 'abcd')], act);
      const [waiting] = await store.findWaitingHashes(['abc', 'abcd', 'abcde']);
      expect(waiting).toMatchObject({ kind: 'bcrypt', encoded: '$2b$key_a' });
      const revision = await store.accessRevision();
      await store.adoptHash(waiting?.keyNo ?? 0, hashOf('secret'), act);
      await store.adoptHash(waiting?.keyNo ?? 0, hashOf('another'), act);
      expect(await store.accessRevision()).toBe(revision);
      expect(await store.findWaitingHashes(['abcd'])).toEqual([]);
      const another = await openAnother();
      expect(await another.findKeyByHash(hashOf('secret'))).toMatchObject({
        key: { id: 'key_a', foreign: true },
      });
      expect(await another.findKeyByHash(hashOf('another'))).toBeUndefined();
      expect(await store.importKeys([slow('key_a', 'abcd')], act)).toEqual(['known']);
      const { data } = await store.listAudit({ subject: 'key_a' }, { limit: 10 });
      expect(data.map(({ action }) => action)).toEqual(['key.rehashed', 'key.imported']);
    });

    it('counts the hashes of a kind that wait', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      const peppered = { kind: 'hmac-sha256', digest: Buffer.alloc(32, 7) } as const;
      await store.importKeys([slow('key_a', 'abcd'), imported('key_b', { hash: peppered })], act);
      expect(await store.countWaitingHashes('hmac-sha256')).toBe(1);
      expect(await store.countWaitingHashes('bcrypt')).toBe(1);
      expect(await store.countWaitingHashes('argon2')).toBe(0);
      const [waiting] = await store.findWaitingHashes([peppered.digest.toString('hex')]);
      await store.adoptHash(waiting?.keyNo ?? 0, hashOf('secret'), act);
      expect(await store.countWaitingHashes('hmac-sha256')).toBe(0);
    });

    it('tells whether there are keys of another format', async () => {
      const { store } = await open();
      await recordCustomer(store, stripeCustomer());
      await store.addKey(newKey('cus_one'), 'system');
      await store.importKeys([imported('key_a', { foreign: false })], act);
      expect(await store.hasForeignKeys()).toBe(false);
      await store.importKeys([imported('key_b')], act);
      expect(await store.hasForeignKeys()).toBe(true);
    });
  });
}

async function listAll(store: Store) {
  const all = [];
  let cursor: string | undefined;
  do {
    const page = await store.listHashedKeys({ limit: 3, cursor });
    all.push(...page.data);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return all;
}

async function handOver(from: Store, to: Store) {
  const keys = (await listAll(from)).map(({ key: { no: _, ...key }, ...rest }) => ({ ...key, ...rest }));
  return to.importKeys(keys, act);
}
