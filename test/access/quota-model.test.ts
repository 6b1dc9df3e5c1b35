/** Random histories of a quota against the plainest reference: nothing beyond it, nothing refused below it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Admission } from '../../src/access/reservation.js';
import { openAdmission, openOn } from './open-admission.js';

const HOUR_MS = 3_600_000;
const quota = 100;

/** A call that is not decided yet, as the reference sees it. */
interface OpenCall {
  admission: Admission;
  reserved: number;
  atMs: number;
}

type Step =
  | { kind: 'call'; units: number }
  | { kind: 'settle'; which: number; units: number }
  | { kind: 'release'; which: number }
  | { kind: 'foreign'; units: number }
  | { kind: 'jump'; ms: number }
  | { kind: 'crash' };

const units = fc.integer({ min: 0, max: 60 });
const which = fc.nat();
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('call' as const), units }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), which, units }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('foreign' as const), units: fc.integer({ min: -20, max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS);
}

async function openHistory() {
  const { host, store, admit, set, record } = await openAdmission();
  await set({ quota: { units: quota, per: 'hour' } });
  let writes = 0;
  const seen = { ...store, otherUsage: async () => writes };
  let admission = openOn({ host, store: seen });
  await admission.tick();
  let open: OpenCall[] = [];
  const ledger = new Map<number, number>();

  async function commit(amount: number, atMs: number): Promise<void> {
    await record(amount, atMs);
    ledger.set(hourOf(atMs), (ledger.get(hourOf(atMs)) ?? 0) + amount);
  }

  async function call(amount: number): Promise<void> {
    const atMs = host.clock.nowMs();
    const held = open
      .filter((other) => hourOf(other.atMs) === hourOf(atMs))
      .reduce((sum, { reserved }) => sum + reserved, 0);
    const used = Math.max(0, ledger.get(hourOf(atMs)) ?? 0);
    const decision = await admit(amount, admission);
    expect('refused' in decision).toBe(used + held + amount > quota && amount > 0);
    if (!('refused' in decision)) open.push({ admission: decision, reserved: amount, atMs });
  }

  return async (next: Step): Promise<void> => {
    if (next.kind === 'call') await call(next.units);
    if (next.kind === 'foreign') {
      await commit(next.units, host.clock.nowMs());
      writes += 1;
      await admission.tick();
    }
    if (next.kind === 'jump') host.jump(host.clock.nowMs() + next.ms);
    if (next.kind === 'crash') {
      open = [];
      admission = openOn({ host, store: seen });
      await admission.tick();
    }
    const [chosen] = 'which' in next && open.length > 0 ? open.splice(next.which % open.length, 1) : [];
    if (!chosen) return;
    if (next.kind === 'settle') {
      await commit(next.units, chosen.atMs);
      chosen.admission.settle(next.units);
    }
    chosen.admission.release();
  };
}

describe('a quota', () => {
  it('holds through any history of calls, corrections, clock jumps and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const run = await openHistory();
        for (const next of steps) await run(next);
      }),
      { numRuns: 60 },
    );
  });
});
