/** The SQLite engine against the suite that every engine passes. */

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { openStore } from '../../src/sqlite/store.js';
import { describeStore } from '../conformance/store.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

describeStore('SQLite', async () => {
  const path = join(createTestFolder(), 'meterctl.db');
  const host = createFakeHost();
  const openAnother = async (): Promise<Store> => {
    const store = await openStore({ path, host });
    onTestFinished(() => store.close());
    return store;
  };
  return { store: await openAnother(), host, openAnother };
});
