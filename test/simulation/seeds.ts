/** The seeds that every change must survive. `SEEDS=50` runs fewer of them, `SEED=123` replays a single one and tells its steps. */

import { describe, expect, it } from 'vitest';
import { type Outcome, runSeed } from './run.js';
import { useTemplate } from './use-template.js';

const seedsDefault = 1_000;
/** A busy machine may take several times as long as the two minutes that an idle one takes. */
const timeoutMs = 900_000;

/** Runs one share of the seeds: those that leave `share` when divided by `shares`. */
export function simulateSeeds(share: number, shares: number): void {
  const { SEED, SEEDS } = process.env;
  const count = Number(SEEDS ?? seedsDefault);
  const seeds = SEED ? [Number(SEED)] : Array.from({ length: count }, (_, index) => index + 1);
  const mine = seeds.filter((seed) => seed % shares === share);
  const made = useTemplate();

  describe.skipIf(mine.length === 0)('a simulated world', () => {
    it(
      `keeps every promise under ${mine.length} seeds`,
      async () => {
        const ended: Record<string, number> = {};
        for (const seed of mine) {
          const outcome = await runSeed(seed, made.template, made.folder);
          if (outcome.findings.length > 0) throw new Error(story(outcome, SEED !== undefined));
          for (const [state, number] of Object.entries(outcome.deliveries))
            ended[state] = (ended[state] ?? 0) + number;
        }
        if (!SEED && mine.length > 20) expect(ended.delivered).toBeGreaterThan(mine.length);
      },
      timeoutMs,
    );
  });
}

function story({ seed, findings, steps }: Outcome, whole: boolean): string {
  const told = whole ? steps : steps.slice(-20);
  return [
    `Seed ${seed} broke ${findings.length} promises:`,
    ...findings.map((finding) => `- ${finding}`),
    whole ? 'What happened:' : 'What happened last:',
    ...told,
    `Replay with: SEED=${seed} npx vitest run --config test/vitest.config.ts test/simulation/seeds-${(seed % 4) + 1}.test.ts`,
  ].join('\n');
}
