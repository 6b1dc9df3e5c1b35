/** Random histories of a quota against the plainest reference: nothing beyond it, nothing refused below it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Admission } from '../../src/access/reservation.js';
import { openAdmission, openOn } from './open-admission.js';

const HOUR_MS = 3_600_000;
const quota = 100;

/** What the quota counts over, if there is one; `null` for none. */
type Span = keyof typeof spanMs | null;
const spanMs = { hour: HOUR_MS, day: 24 * HOUR_MS };

/** A call that is not decided yet, as the reference sees it: it keeps the limit with which it was let in. */
interface OpenCall {
  admission: Admission;
  span: Span;
  reserved: number;
  atMs: number;
}

type Step =
  | { kind: 'call'; units: number }
  | { kind: 'settle'; which: number; units: number }
  | { kind: 'release'; which: number }
  | { kind: 'foreign'; units: number }
  | { kind: 'jump'; ms: number }
  | { kind: 'limit'; span: Span }
  | { kind: 'crash' };

const units = fc.integer({ min: 0, max: 60 });
const which = fc.nat();
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('call' as const), units }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), which, units }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('foreign' as const), units: fc.integer({ min: -20, max: 20 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('limit' as const),
      span: fc.constantFrom<Span[]>('hour', 'day', null),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

function areOneWindow(span: keyof typeof spanMs, one: number, other: number): boolean {
  return Math.floor(one / spanMs[span]) === Math.floor(other / spanMs[span]);
}

async function openHistory() {
  const { host, store, admit, set, record } = await openAdmission();
  let span: Span = 'hour';
  await set({ quota: { units: quota, per: span } });
  let writes = 0;
  const seen = { ...store, otherUsage: async () => writes };
  let admission = openOn({ host, store: seen });
  await admission.tick();
  let open: OpenCall[] = [];
  const ledger: { units: number; atMs: number }[] = [];

  async function commit(amount: number, atMs: number): Promise<void> {
    await record(amount, atMs);
    ledger.push({ units: amount, atMs });
  }

  function isBeyond(amount: number, atMs: number): boolean {
    const window = span;
    if (window === null || amount === 0) return false;
    const isNow = (other: { atMs: number }) => areOneWindow(window, other.atMs, atMs);
    const used = ledger.filter(isNow).reduce((sum, row) => sum + row.units, 0);
    const holding = open.filter((other) => other.span === window && isNow(other));
    const held = holding.reduce((sum, { reserved }) => sum + reserved, 0);
    return Math.max(0, used) + held + amount > quota;
  }

  async function call(amount: number): Promise<void> {
    const atMs = host.clock.nowMs();
    const beyond = isBeyond(amount, atMs);
    const decision = await admit(amount, admission);
    expect('refused' in decision).toBe(beyond);
    if (!('refused' in decision)) open.push({ admission: decision, span, reserved: amount, atMs });
  }

  return async (next: Step): Promise<void> => {
    if (next.kind === 'call') await call(next.units);
    if (next.kind === 'foreign') {
      await commit(next.units, host.clock.nowMs());
      writes += 1;
      await admission.tick();
    }
    if (next.kind === 'jump') host.jump(host.clock.nowMs() + next.ms);
    if (next.kind === 'limit') {
      span = next.span;
      await set(span === null ? undefined : { quota: { units: quota, per: span } });
    }
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
  it('holds through any history of calls, corrections, clock jumps, other limits and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const run = await openHistory();
        for (const next of steps) await run(next);
      }),
      { numRuns: 60 },
    );
  });
});
