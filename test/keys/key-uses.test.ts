import { describe, expect, it } from 'vitest';
import { createKeyUses } from '../../src/keys/key-uses.js';
import { createFakeHost } from '../support/host.js';
import { newKey } from '../support/records.js';
import { addSubscriber, openTestStore } from '../support/store.js';

describe('the last uses of keys', () => {
  it('are written now and then, each key once, in small commits', async () => {
    const host = createFakeHost();
    const store = await openTestStore(host);
    await addSubscriber(store, host);
    const keys = await store.addKeys(
      Array.from({ length: 130 }, (_, index) => newKey('cus_1', { id: `key_${index}` })),
      'system',
    );
    const sizes: number[] = [];
    const watched = {
      ...store,
      recordKeyUses(uses: Parameters<typeof store.recordKeyUses>[0]) {
        sizes.push(uses.length);
        return store.recordKeyUses(uses);
      },
    };
    const uses = createKeyUses({ store: watched, clock: host.clock, log: host.log });
    uses.start();
    for (const atMs of [1, 2]) for (const { no } of keys) uses.note(no, atMs);
    await host.advance(5_000);
    expect(sizes).toEqual([50, 50, 30]);
    expect(await store.findKey('key_129')).toMatchObject({ lastUsedAtMs: 2 });
    uses.note(keys[0]?.no ?? 0, 3);
    await uses.close();
    expect(await store.findKey('key_0')).toMatchObject({ lastUsedAtMs: 3 });
    expect(sizes).toEqual([50, 50, 30, 1]);
  });
});
