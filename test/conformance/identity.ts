/** Mode, account and marks, on any engine. */

import { describe, expect, it } from 'vitest';
import type { OpenStore } from './store.js';

/** The cases. */
export function describeIdentity(open: OpenStore): void {
  describe('identity', () => {
    it('belongs to the mode that bound it first', async () => {
      const { store, openAnother } = await open();
      expect(await store.bindMode('test')).toBe('test');
      expect(await store.bindMode('live')).toBe('test');
      expect(await (await openAnother()).bindMode('emulator')).toBe('test');
    });

    it('belongs to the account that bound it first', async () => {
      const { store } = await open();
      expect(await store.bindAccount('acct_1')).toBe('acct_1');
      expect(await store.bindAccount('acct_2')).toBe('acct_1');
    });

    it('keeps, replaces and removes marks', async () => {
      const { store, openAnother } = await open();
      expect(await store.findMark('cursor')).toBeUndefined();
      await store.recordMark('cursor', 'a');
      await store.recordMark('cursor', 'b');
      expect(await (await openAnother()).findMark('cursor')).toBe('b');
      await store.recordMark('cursor', undefined);
      expect(await store.findMark('cursor')).toBeUndefined();
    });

    it('can tell that it can be written', async () => {
      const { store } = await open();
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
