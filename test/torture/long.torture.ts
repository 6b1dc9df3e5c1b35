/** The long torture: `npm run torture`, or `KILLS=50 SEED=7 npm run torture`. Not part of the tests, for it takes a quarter of an hour. */

import { expect, it } from 'vitest';
import { createTestFolder } from '../support/folder.js';
import { tableOf } from './comparison.js';
import { torture } from './torture.js';

const kills = Number(process.env.KILLS ?? 300);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Room for each kill and start, on a busy machine, and for everything to arrive in the end. */
const timeoutMs = kills * 6_000 + 300_000;

it(
  `survives ${kills} kills`,
  async () => {
    const tell = (line: string) => console.log(line);
    tell(`seed ${seed}`);
    const comparison = await torture({ folder: createTestFolder(), kills, connections: 64, seed, tell });
    tell(tableOf(comparison));
    expect(comparison).toMatchObject({ lost: 0, doubled: 0 });
  },
  timeoutMs,
);
