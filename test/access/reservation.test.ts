/** What a call holds while it runs, when its cost comes to light late and when its hour ends before it. */

import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/access/admission.js';
import type { Admission } from '../../src/access/reservation.js';
import { billingPeriodOf } from '../../src/domain/customer.js';
import { newUsage } from '../support/records.js';
import { openTestStore } from '../support/store.js';
import { headersOf, openAdmission, openOn } from './open-admission.js';

const hourMs = 3_600_000;

function admitted(decision: Decision): Admission {
  if ('refused' in decision) throw new Error(`refused: ${decision.detail}`);
  return decision;
}

describe('a call that runs', () => {
  it('holds more when it fits, and otherwise what it held', async () => {
    const { admit, set } = await openAdmission();
    await set({ quota: { units: 10, per: 'day' }, maxInFlight: 1 });
    const call = admitted(await admit(1));
    expect(call.hold(10)).toBeUndefined();
    expect(headersOf(call)).toMatchObject({ RateLimit: expect.stringContaining('"quota";r=0') });
    expect(call.hold(11)).toMatchObject({
      refused: 'quota_exceeded',
      detail: expect.stringMatching(/10 units/),
    });
    expect(call.hold(3)).toBeUndefined();
    expect(headersOf(call)).toMatchObject({ RateLimit: expect.stringContaining('"quota";r=0') });
    call.settle(4);
    call.release();
    expect(headersOf(admitted(await admit(6)))).toMatchObject({
      RateLimit: expect.stringContaining('"quota";r=0'),
    });
  });

  it('holds as much as there is, also below a limit that was lowered under what is used', async () => {
    const { admit, set } = await openAdmission();
    await set({ quota: { units: 10, per: 'day' } });
    const [one, other] = [admitted(await admit(2)), admitted(await admit(3))];
    expect(one.holdUpTo(100)).toBe(7);
    expect(other.holdUpTo(4)).toBe(3);
    await set({ quota: { units: 4, per: 'day' } });
    expect(await admit(1)).toMatchObject({ refused: 'quota_exceeded' });
    one.settle(7);
    one.release();
    expect(other.holdUpTo(4)).toBe(3);
  });

  it('takes nothing of rates when it is refused by its cost', async () => {
    const { admit, set, host, key } = await openAdmission();
    await set({ rate: { count: 2, perMs: 60_000 }, quota: { units: 10, per: 'day' } });
    await set({ rate: { count: 3, perMs: 60_000 } }, { kind: 'key', keyId: key.id });
    const dear = admitted(await admit(1));
    const cheap = admitted(await admit(1));
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
    expect(dear.hold(11)).toMatchObject({
      refused: 'quota_exceeded',
      headers: { RateLimit: '"key-rate";r=2;t=20, "rate";r=1;t=30, "quota";r=9;t=43200' },
    });
    dear.release();
    cheap.release();
    admitted(await admit(1));
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
    await host.advance(30_000);
    admitted(await admit(1));
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
  });

  it('takes nothing of rates when another process has sold what it needs', async () => {
    const { admit, set, record } = await openAdmission();
    await set({ rate: { count: 2, perMs: 60_000 }, quota: { units: 10, per: 'day' } });
    const call = admitted(await admit(1));
    await record(10);
    expect(await call.lookAgain(1, call.atMs!)).toMatchObject({
      refused: 'quota_exceeded',
      headers: { RateLimit: '"rate";r=2;t=0, "quota";r=0;t=43200' },
    });
    call.release();
    expect(await admit(0)).not.toHaveProperty('refused');
    expect(await admit(0)).not.toHaveProperty('refused');
    expect(await admit(0)).toMatchObject({ refused: 'rate_limited' });
  });

  it('forgives nobody the calls of a rate when it is refused late', async () => {
    const { admit, set, host } = await openAdmission();
    await set({ rate: { count: 10, perMs: 1_000 }, quota: { units: 99, per: 'day' } });
    const slow = admitted(await admit(1));
    await host.advance(10_000);
    for (let call = 0; call < 10; call += 1) admitted(await admit(1));
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
    expect(headersOf(slow)).toMatchObject({ RateLimit: '"rate";r=0;t=1, "quota";r=88;t=43190' });
    expect(slow.hold(100)).toMatchObject({ refused: 'quota_exceeded', headers: { 'Retry-After': '43190' } });
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
  });

  it('forgives nobody what is owed by a rate that was set while it runs', async () => {
    const { admit, set, host } = await openAdmission();
    const quota = { units: 99, per: 'day' } as const;
    await set({ rate: { count: 2, perMs: 1_000 }, quota });
    const running = admitted(await admit(1));
    await set({ rate: { count: 2, perMs: 3_600_000 }, quota });
    await host.advance(500);
    admitted(await admit(1));
    admitted(await admit(1));
    expect(headersOf(running)).toMatchObject({ RateLimit: '"rate";r=0;t=1, "quota";r=96;t=43200' });
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
    expect(running.hold(100)).toMatchObject({ refused: 'quota_exceeded' });
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
  });

  it('owes a burst of the rate that holds at most', async () => {
    const { admit, set, host } = await openAdmission();
    await set({ rate: { count: 2, perMs: 3_600_000 } });
    admitted(await admit(1));
    admitted(await admit(1));
    await set({ rate: { count: 2, perMs: 1_000 } });
    expect(await admit(1)).toMatchObject({ refused: 'rate_limited' });
    await host.advance(500);
    admitted(await admit(1));
  });

  it('goes on when its hour ends while the ledger cannot be read', async () => {
    const { admit, set, store, host } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    let broken = false;
    const reads: Promise<unknown>[] = [];
    const countUnits: typeof store.countUnits = (...asked) => {
      const read = broken ? Promise.reject(new Error('disk')) : store.countUnits(...asked);
      reads.push(read);
      return read;
    };
    const flaky = openOn({ host, store: { ...store, countUnits } });
    const call = admitted(await admit(2, flaky));
    await host.advance(hourMs);
    broken = true;
    // A rejection that nobody handles fails the test run, as it would end the program.
    expect(call.holdUpTo(3)).toBe(3);
    await host.advance(0);
    expect(reads).toHaveLength(2);
    broken = false;
    call.holdUpTo(4);
    await host.advance(0);
    expect(call.holdUpTo(11)).toBe(10);
    expect(await admit(1, flaky)).toMatchObject({ refused: 'quota_exceeded' });
  });

  it('is counted with all others also while it holds nothing, whatever the clock and the other calls do', async () => {
    const { admit, set, host } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const free = admitted(await admit(0));
    const startMs = host.clock.nowMs();
    host.jump(startMs + hourMs);
    admitted(await admit(1)).release();
    host.jump(startMs);
    const other = admitted(await admit(6));
    expect(free.hold(5)).toMatchObject({ refused: 'quota_exceeded' });
    expect(free.hold(4)).toBeUndefined();
    other.release();
    expect(free.hold(10)).toBeUndefined();
  });

  it('takes what it holds into the hour in which it ends', async () => {
    const { admit, set, host, record } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const call = admitted(await admit(8));
    await host.advance(hourMs);
    admitted(await admit(1)).release();
    expect(call.holdUpTo(9)).toBe(9);
    expect(await admit(2)).toMatchObject({ refused: 'quota_exceeded' });
    await record(9);
    call.settle(9, host.clock.nowMs());
    call.release();
    expect(await admit(2)).toMatchObject({ refused: 'quota_exceeded' });
    expect(headersOf(admitted(await admit(1)))).toMatchObject({ 'X-RateLimit-Remaining': '0' });
  });

  it('takes no more into the next hour than that leaves', async () => {
    const { admit, set, host, record } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const call = admitted(await admit(8));
    await host.advance(hourMs);
    const other = admitted(await admit(7));
    expect(call.holdUpTo(8)).toBe(3);
    other.release();
    expect(call.holdUpTo(8)).toBe(8);
    await record(8);
    call.settle(8, host.clock.nowMs());
    call.release();
    expect(await admit(3)).toMatchObject({ refused: 'quota_exceeded' });
    admitted(await admit(2));
  });

  it('needs room as of the counters that it has gone over to', async () => {
    const { admission, admit, set, host, store, path, customer } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const startMs = host.clock.nowMs();
    await host.advance(hourMs);
    const present = admitted(await admit(1));
    const another = await openTestStore(host, path);
    await another.recordUsage([newUsage(customer.no, { atMs: host.clock.nowMs() })], host.clock.nowMs());
    // A request that has waited from the hour before: that one is read only now.
    const late = admitted(await admit(1, admission, startMs));
    expect(late.room?.asOf).toBe(await store.otherUsage());
    late.holdUpTo(9);
    expect(late.room?.asOf).toBe(present.room?.asOf);
  });

  it('keeps what it holds of a limit that others have overrun, whatever hour it is', async () => {
    const { admission, admit, set, host, record } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' }, prepaid: { units: 10, sinceMs: 0 } });
    const call = admitted(await admit(8));
    await record(9);
    await host.advance(hourMs);
    admission.recount();
    await admit(0);
    expect(call.holdUpTo(9)).toBe(8);
  });

  it('takes nothing of the hours in which it stands still', async () => {
    const { admit, set, host, record } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const call = admitted(await admit(3));
    const usedMs = host.clock.nowMs();
    expect(call.holdUpTo(8)).toBe(8);
    await host.advance(hourMs);
    admitted(await admit(1)).release();
    expect(call.holdUpTo(8)).toBe(8);
    expect(call.atMs).toBe(usedMs);
    const whole = admitted(await admit(10));
    expect(await admit(1)).toMatchObject({ refused: 'quota_exceeded' });
    whole.release();
    // More of it is used now, and with it all that is billed.
    expect(call.holdUpTo(9)).toBe(9);
    expect(call.atMs).toBe(host.clock.nowMs());
    expect(await admit(2)).toMatchObject({ refused: 'quota_exceeded' });
    await record(9);
    call.settle(9, host.clock.nowMs());
    call.release();
    admitted(await admit(1));
  });

  it('goes on into the next billing period also while it stands still', async () => {
    const { admit, set, host, customer } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const call = admitted(await admit(8));
    call.holdUpTo(8);
    const { endMs } = billingPeriodOf(customer, host.clock.nowMs())!;
    host.jump(endMs - 1);
    call.holdUpTo(8);
    expect(call.atMs).toBeLessThan(endMs - 1);
    host.jump(endMs);
    admitted(await admit(0)).release();
    call.holdUpTo(8);
    expect(call.atMs).toBe(endMs);
  });

  it('is used in the hour before as long as the one that has begun is being read', async () => {
    const { admit, set, host } = await openAdmission();
    await set({ quota: { units: 10, per: 'hour' } });
    const call = admitted(await admit(8));
    const beganMs = host.clock.nowMs();
    expect(call.atMs).toBe(beganMs);
    await host.advance(1_000);
    call.holdUpTo(8);
    expect(call.atMs).toBe(beganMs + 1_000);
    await host.advance(hourMs);
    const next = admit(3);
    call.holdUpTo(9);
    expect(call.atMs).toBe(beganMs + 1_000);
    const other = admitted(await next);
    expect(call.holdUpTo(9)).toBe(7);
    expect(call.atMs).toBe(beganMs + 1_000 + hourMs);
    other.release();
  });
});
