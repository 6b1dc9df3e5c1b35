import { describe, expect, it } from 'vitest';
import { createTestFolder } from '../support/folder.js';
import { tableOf } from './comparison.js';
import { torture } from './torture.js';

describe('a daemon that is killed', () => {
  it('loses nothing and bills nothing twice', async () => {
    const options = { kills: 5, connections: 8, seed: 1, tell: () => undefined };
    const comparison = await torture({ ...options, folder: createTestFolder() });
    expect(comparison, tableOf(comparison)).toMatchObject({ lost: 0, doubled: 0 });
    for (const line of comparison.lines) expect(line.answered).toBeGreaterThan(0);
  }, 300_000);
});
