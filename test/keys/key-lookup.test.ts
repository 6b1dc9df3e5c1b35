import { createHmac } from 'node:crypto';
import { hash as argon2 } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { describe, expect, it } from 'vitest';
import type { ImportedKey, KeyHash } from '../../src/domain/key-hash.js';
import type { Store } from '../../src/domain/store.js';
import { createKeyLookup } from '../../src/keys/key-lookup.js';
import { hashSecret, mintSecret } from '../../src/keys/secret.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { newKey } from '../support/records.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const keyPepper = 'pepper';
const foreignSecret = 'acme-0123456789abcdef';

/** Counts what reaches the store. */
function counted(store: Store) {
  const counts = { byHash: 0, waiting: 0 };
  const counting: Store = {
    ...store,
    findKeyByHash(hash) {
      counts.byHash += 1;
      return store.findKeyByHash(hash);
    },
    findWaitingHashes(lookups) {
      counts.waiting += 1;
      return store.findWaitingHashes(lookups);
    },
  };
  return { counts, counting };
}

async function open() {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const subscriber = await addSubscriber(store, host);
  const { counts, counting } = counted(store);
  const deps = { store: counting, clock: host.clock, log: host.log, keyPrefix: 'mk', keyPepper };
  const lookup = createKeyLookup(deps);
  await lookup.refresh();
  return { host, store, counts, lookup, deps, ...subscriber };
}

async function importForeign(store: Store, host: FakeHost, hash: KeyHash, fields: Partial<ImportedKey> = {}) {
  const { hash: _, ...row } = newKey('cus_1', { id: 'key_foreign' });
  const key = { ...row, hash, foreign: true, revokedAtMs: null, lastUsedAtMs: null, ...fields };
  const outcomes = await store.importKeys([key], { actor: 'system', atMs: host.clock.nowMs() });
  expect(outcomes).toEqual(['imported']);
}

describe('the look-up of keys', () => {
  it('asks the store once for a key, and once for one that nobody has', async () => {
    const { lookup, counts, secret, key, host } = await open();
    const together = await Promise.all([lookup.find(secret), lookup.find(secret), lookup.find(secret)]);
    expect(together.map((found) => found?.key.id)).toEqual([key.id, key.id, key.id]);
    expect(lookup.find(secret)).toMatchObject({ key: { id: key.id } });
    expect(counts.byHash).toBe(1);
    const stranger = mintSecret('mk_test_', host.random).secret;
    expect(await lookup.find(stranger)).toBeNull();
    expect(lookup.find(stranger)).toBeNull();
    expect(counts.byHash).toBe(2);
  });

  it('costs no read for garbage, also while there are keys of other formats', async () => {
    const { lookup, counts, store, host, secret } = await open();
    const garbage = ['', 'x', 'x'.repeat(1_000_000), 'mk_live_nonsense', `${secret.slice(0, -1)}!`];
    const ownGarbage = Array.from({ length: 100 }, (_, index) => `${secret.slice(0, -6)}${100_000 + index}`);
    for (const text of [...garbage, ...ownGarbage, foreignSecret]) expect(lookup.find(text)).toBeNull();
    await importForeign(store, host, { kind: 'sha256', digest: hashSecret(foreignSecret) });
    await lookup.refresh();
    for (const text of [...garbage, ...ownGarbage]) expect(lookup.find(text)).toBeNull();
    expect(counts).toEqual({ byHash: 0, waiting: 0 });
    expect(await lookup.find(foreignSecret)).toMatchObject({ key: { id: 'key_foreign' } });
    expect(counts).toEqual({ byHash: 1, waiting: 0 });
  });

  it('finds keys of another system before it has looked for changes once', async () => {
    const { store, host, deps } = await open();
    await importForeign(store, host, { kind: 'sha256', digest: hashSecret(foreignSecret) });
    expect(await createKeyLookup(deps).find(foreignSecret)).toMatchObject({ key: { id: 'key_foreign' } });
  });

  it('goes on finding keys that were made under another prefix', async () => {
    const { deps, secret, key } = await open();
    expect(await createKeyLookup({ ...deps, keyPrefix: 'acme' }).find(secret)).toMatchObject({ key });
  });

  it('checks addresses', async () => {
    const { lookup, store, host, secret, key } = await open();
    expect(await lookup.find(secret)).toMatchObject({ allowsAddress: null });
    await store.changeKey(
      key.id,
      { ipAllow: ['192.0.2.0/24'] },
      { actor: 'system', atMs: host.clock.nowMs() },
    );
    await lookup.refresh();
    const found = await lookup.find(secret);
    expect([found?.allowsAddress?.('192.0.2.1'), found?.allowsAddress?.('198.51.100.1')]).toEqual([
      true,
      false,
    ]);
  });
});

describe('a key from elsewhere', () => {
  const forms: [string, () => Promise<KeyHash>][] = [
    [
      'HMAC-SHA-256',
      async () => ({
        kind: 'hmac-sha256',
        digest: createHmac('sha256', keyPepper).update(foreignSecret).digest(),
      }),
    ],
    [
      'bcrypt',
      async () => ({
        kind: 'bcrypt',
        encoded: await bcrypt(foreignSecret, { cost: 4 }),
        lookup: 'acme-0123',
      }),
    ],
    [
      'argon2',
      async () => ({
        kind: 'argon2',
        encoded: await argon2(foreignSecret, { memoryCost: 64, timeCost: 1, parallelism: 1 }),
        lookup: 'acme-0123',
      }),
    ],
  ];

  it('is told of once where only the pepper that is missing could tell it', async () => {
    const { store, host, deps } = await open();
    await importForeign(store, host, await forms[0]![1]());
    await createKeyLookup(deps).refresh();
    expect(host.lines).toEqual([]);
    const lookup = createKeyLookup({ ...deps, keyPepper: null });
    expect(await lookup.find(foreignSecret)).toBeNull();
    await lookup.refresh();
    expect(host.lines).toMatchObject([{ level: 'warn', fields: { keys: 1 } }]);
    expect(host.lines[0]?.message).toContain('METERCTL_KEY_PEPPER');
  });

  it.each(forms)('with %s is recognised, and from then on found by SHA-256', async (_, make) => {
    const { lookup, counts, store, host } = await open();
    await importForeign(store, host, await make());
    await lookup.refresh();
    expect(await lookup.find(`${foreignSecret}x`)).toBeNull();
    expect(await lookup.find(foreignSecret)).toMatchObject({ key: { id: 'key_foreign', foreign: true } });
    expect(await store.findKeyByHash(hashSecret(foreignSecret))).toMatchObject({
      key: { id: 'key_foreign' },
    });
    expect(await store.findWaitingHashes(['acme-0123'])).toEqual([]);
    expect(lookup.find(foreignSecret)).toMatchObject({ key: { id: 'key_foreign' } });
    expect(counts.waiting).toBe(2);
  });

  it('cannot be guessed fast, and wrong guesses are remembered', async () => {
    const { lookup, counts, store, host } = await open();
    const encoded = await bcrypt(foreignSecret, { cost: 4 });
    await importForeign(store, host, { kind: 'bcrypt', encoded, lookup: 'acme-0123' });
    await lookup.refresh();
    for (let guess = 0; guess < 5; guess += 1) expect(await lookup.find(`acme-0123-${guess}`)).toBeNull();
    for (let guess = 0; guess < 5; guess += 1) expect(lookup.find(`acme-0123-${guess}`)).toBeNull();
    expect(counts.waiting).toBe(5);
    await expect(lookup.find('acme-0123-5')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(lookup.find(foreignSecret)).rejects.toMatchObject({ code: 'unavailable' });
    await host.advance(10_000);
    expect(await lookup.find(foreignSecret)).toMatchObject({ key: { id: 'key_foreign' } });
  });

  it('turns away what is too much at once, and compares off the event loop', async () => {
    const { lookup, store } = await open();
    const encoded = await bcrypt('another secret', { cost: 10 });
    const keys = Array.from({ length: 8 }, (_, index) => ({
      ...newKey('cus_1', { id: `key_${index}` }),
      hash: { kind: 'bcrypt' as const, encoded: encoded.replace(/.$/, String(index)), lookup: 'acme-0123' },
      ...{ foreign: true, revokedAtMs: null, lastUsedAtMs: null },
    }));
    await store.importKeys(keys, { actor: 'system', atMs: 0 });
    await lookup.refresh();
    let turns = 0;
    let running = true;
    const spin = (async () => {
      while (running) {
        await new Promise((resolve) => setImmediate(resolve));
        turns += 1;
      }
    })();
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, async (_, guess) => lookup.find(`acme-0123-${guess}`)),
    );
    running = false;
    await spin;
    const busy = answers.filter(({ status }) => status === 'rejected');
    expect(busy.length).toBeGreaterThan(0);
    for (const { reason } of busy as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: 'unavailable' });
    expect(turns).toBeGreaterThan(20);
  });

  it('with a hash that no library can read is refused, and the operator told', async () => {
    const { lookup, store, host } = await open();
    await importForeign(store, host, { kind: 'argon2', encoded: '$argon2id$broken', lookup: 'acme-0123' });
    await lookup.refresh();
    expect(await lookup.find(foreignSecret)).toBeNull();
    expect(host.lines).toMatchObject([{ level: 'error' }]);
    expect(JSON.stringify(host.lines)).not.toContain(foreignSecret);
  });
});
