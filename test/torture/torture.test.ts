/**
 * The promise under torture, with real processes. A short round is part of the tests; `npm run torture` kills a few hundred
 * times, `KILLS=50 SEED=7 npm run torture` as often as it says.
 */

import { describe, expect, it } from 'vitest';
import { createTestFolder } from '../support/folder.js';
import { tableOf } from './comparison.js';
import { torture } from './torture.js';

const kills = Number(process.env.KILLS ?? 6);

/** A third of the kills hits the gateway. */
const rounds = [
  { upstream: false, kills: kills - Math.floor(kills / 3) },
  { upstream: true, kills: Math.floor(kills / 3) },
];
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Room for each kill and start, on a busy machine, and for everything to arrive in the end. */
const timeoutMs = kills * 6_000 + 300_000;

describe('a daemon that is killed', () => {
  it.each(rounds)(
    '$kills times loses nothing and bills nothing twice, upstream: $upstream',
    { timeout: timeoutMs },
    async (round) => {
      const tell = (line: string) => console.log(line);
      tell(`seed ${seed}`);
      const comparison = await torture({ folder: createTestFolder(), ...round, connections: 16, seed, tell });
      tell(tableOf(comparison));
      expect(comparison).toMatchObject({ lost: 0, doubled: 0, refused: 0, uncertain: 0 });
      for (const { answered } of comparison.lines) expect(answered).toBeGreaterThan(0);
    },
  );
});
