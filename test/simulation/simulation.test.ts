/** Tests of the simulation itself: that it replays, and that it sees what is wrong. */

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenCouriers } from './broken-couriers.js';
import { runSeed } from './run.js';
import { createTemplate } from './template.js';
import { useTemplate } from './use-template.js';

const made = useTemplate();

describe('a simulation', () => {
  it('replays its seed step by step', async () => {
    for (const seed of [3, 10, 24]) {
      const first = await runSeed(seed, made.template, made.folder);
      const again = await runSeed(seed, made.template, made.folder);
      expect(again.steps.length).toBeGreaterThan(100);
      expect(again.fingerprint).toBe(first.fingerprint);
    }
  });

  it('replays its seed on another day, from a template made anew', async () => {
    const elsewhere = mkdtempSync(join(made.folder, 'elsewhere-'));
    const other = await createTemplate(elsewhere);
    expect((await runSeed(7, other, elsewhere)).fingerprint).toBe(
      (await runSeed(7, made.template, made.folder)).fingerprint,
    );
  });
});

/** So many seeds at most until a fault is seen; the program itself has to survive many more. */
const seedsMax = 150;

describe('the checker notices a courier that', () => {
  it.each(Object.entries(brokenCouriers))(
    '%s',
    async (_, fault) => {
      for (let seed = 1; seed <= seedsMax; seed += 1) {
        const { findings } = await runSeed(seed, made.template, made.folder, fault);
        if (findings.some((finding) => fault.finding.test(finding))) return;
      }
      expect.fail(`It took ${seedsMax} seeds for what it is not.`);
    },
    120_000,
  );
});
