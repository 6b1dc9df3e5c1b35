/** A hundred thousand keys, from one database to another. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { openStore } from '../../src/sqlite/store.js';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

const count = 100_000;

/** Every other key has terms of its own, every tenth is revoked. */
function rowOf(index: number, customer: string): string {
  const plain = {
    id: `key_${index}`,
    customer,
    hint: `mk_test_…${index}`,
    hash: hashOf(index),
    foreign: index % 4 === 0,
  };
  const terms = {
    name: `ci ${index}`,
    scopes: ['read'],
    ip_allow: ['192.0.2.0/24'],
    metadata: { n: String(index) },
  };
  const revoked = { revoked_at: '2026-01-02T03:04:05.678Z', last_used_at: '2026-01-01T00:00:00Z' };
  const row = { ...plain, ...(index % 2 === 0 && terms), ...(index % 10 === 0 && revoked) };
  return `${JSON.stringify({ ...row, created_at: '2025-01-01T00:00:00Z' })}\n`;
}

function hashOf(index: number): string {
  return createHash('sha256').update(`secret ${index}`).digest('hex');
}

async function withStore<T>(path: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ path, host: createFakeHost() });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

describe('a hundred thousand keys', () => {
  it('go in, out, into another database and out again as they were', { timeout: 180_000 }, async () => {
    const folder = createTestFolder();
    const { json, run } = createCommandLine(folder);
    await json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
    const customer = (await json<{ id: string }>('customers create --email ada@example.com')).id;
    await json(`customers import ${customer} --database other.db`);
    const input = Array.from({ length: count }, (_, index) => rowOf(index, customer)).join('');
    const result = await json('keys import', { input });
    expect(result).toEqual({ imported: count, known: 0 });
    const { out } = await run('keys export');
    expect(out.split('\n')).toHaveLength(count + 1);
    const again = await json('keys import --database other.db', { input: out });
    expect(again).toEqual({ imported: count, known: 0 });
    expect((await run('keys export --database other.db')).out === out).toBe(true);
    await withStore(join(folder, 'other.db'), async (store) => {
      const hash = (index: number) => createHash('sha256').update(`secret ${index}`).digest();
      expect(await store.findKeyByHash(hash(99_990))).toMatchObject({
        key: { id: 'key_99990', scopes: ['read'], metadata: { n: '99990' }, foreign: false },
      });
      expect(await store.findKeyByHash(hash(count))).toBeUndefined();
    });
  });
});
