import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/access/admission.js';
import type { LimitRefusal } from '../../src/access/limit-refusal.js';
import type { Admission } from '../../src/access/reservation.js';
import { testStartMs } from '../support/host.js';
import { headersOf, openAdmission, openOn } from './open-admission.js';

const HOUR_MS = 3_600_000;

function admitted(decision: Decision): Admission {
  if ('refused' in decision) throw new Error(decision.detail);
  return decision;
}

function refused(decision: Decision): LimitRefusal {
  if ('refused' in decision) return decision;
  throw new Error('The call was let in.');
}

describe('admission', () => {
  it('says nothing and stops nobody without limits', async () => {
    const { admit } = await openAdmission();
    const admission = admitted(await admit(1_000_000));
    expect(headersOf(admission)).toEqual({});
    admission.settle(5);
    admission.release();
  });

  it('answers at once when memory has all that it needs', async () => {
    const { admit, set } = await openAdmission();
    await set({ rate: { count: 2, perMs: 1_000 }, quota: { units: 5, per: 'month' } });
    await admit();
    expect(admit()).not.toBeInstanceOf(Promise);
  });

  it('holds a rate, and tells when to come again', async () => {
    const { admit, set, host } = await openAdmission();
    await set({ rate: { count: 3, perMs: 60_000 } });
    const first = admitted(await admit());
    expect(headersOf(first)).toEqual({
      'RateLimit-Policy': '"rate";q=3;w=60',
      RateLimit: '"rate";r=2;t=20',
      'X-RateLimit-Limit': '3',
      'X-RateLimit-Remaining': '2',
      'X-RateLimit-Reset': '20',
    });
    await admit();
    await admit();
    expect(refused(await admit())).toMatchObject({
      refused: 'rate_limited',
      headers: { 'Retry-After': '20', RateLimit: '"rate";r=0;t=60' },
    });
    await host.advance(20_000);
    admitted(await admit());
    expect(refused(await admit()).headers).toMatchObject({ 'Retry-After': '20' });
  });

  it('holds a rate also where requests have waited, and come behind later ones', async () => {
    const { admission, admit, set, host, customer, key } = await openAdmission();
    await set({ rate: { count: 3, perMs: 1_000 } });
    const atMs = host.clock.nowMs();
    for (let call = 0; call < 3; call += 1) admitted(await admit());
    const caller = { customer, key };
    for (let call = 0; call < 200; call += 1) {
      refused(await admission.admit({ caller, priceId: 'price_1', units: 1, atMs: atMs - 5 }));
      refused(await admit());
    }
  });

  it('holds calls in flight until they end, however long after they are settled', async () => {
    const { admit, set } = await openAdmission();
    await set({ maxInFlight: 2 });
    const first = admitted(await admit());
    admitted(await admit());
    expect(headersOf(first)).toMatchObject({
      'RateLimit-Policy': '"concurrency";q=2;qu="concurrent-requests"',
      RateLimit: '"concurrency";r=0',
    });
    expect(refused(await admit())).toMatchObject({
      refused: 'rate_limited',
      headers: { 'Retry-After': '1' },
    });
    first.settle(1);
    refused(await admit());
    first.release();
    first.release();
    admitted(await admit());
    refused(await admit());
  });

  it.each([
    ['hour', HOUR_MS],
    ['day', 12 * HOUR_MS],
    ['month', 20.5 * 24 * HOUR_MS],
  ] as const)('holds a quota by the %s, and begins anew', async (per, untilNextMs) => {
    const { admit, set, record, host } = await openAdmission();
    await record(4);
    await set({ quota: { units: 6, per } });
    admitted(await admit()).settle(1);
    const last = admitted(await admit());
    expect(headersOf(last)).toMatchObject({ RateLimit: `"quota";r=0;t=${untilNextMs / 1000}` });
    expect(refused(await admit())).toMatchObject({
      refused: 'quota_exceeded',
      headers: { 'Retry-After': String(untilNextMs / 1000) },
    });
    host.jump(testStartMs + untilNextMs - 1);
    refused(await admit());
    host.jump(testStartMs + untilNextMs);
    admitted(await admit(6));
    refused(await admit());
  });

  it('counts a billing period as the ledger does', async () => {
    const { admit, set, record } = await openAdmission();
    await set({ quota: { units: 10, per: 'period' } });
    await record(3, Date.UTC(2026, 9, 31, 23, 59, 59));
    await record(9, Date.UTC(2026, 10, 1));
    admitted(await admit());
    expect(refused(await admit()).refused).toBe('quota_exceeded');
  });

  it('stops at a spend cap, priced by tiers over the whole period', async () => {
    const terms = {
      ...{ billing_scheme: 'tiered', tiers_mode: 'graduated', transform_quantity: null },
      unit_amount_decimal: null,
      tiers: [
        { up_to: 100, unit_amount_decimal: '0', flat_amount_decimal: null },
        { up_to: null, unit_amount_decimal: '0.5', flat_amount_decimal: null },
      ],
    };
    const { admit, set, record } = await openAdmission({ termsOf: () => terms });
    await set({ spendCapMinor: 10 });
    // Half a cent rounds up, so 120 units cost 10 cents, 121 cost 10.5, which is 11.
    admitted(await admit(118)).settle(118);
    expect(refused(await admit(3)).refused).toBe('spend_cap_reached');
    const last = admitted(await admit(2));
    expect(headersOf(last)).toMatchObject({
      'RateLimit-Policy': '"spend";q=120;w=2592000',
      'X-RateLimit-Remaining': '0',
    });
    last.settle(2);
    await record(0);
    refused(await admit());
  });

  it('counts prepaid units from when they were granted, for ever', async () => {
    const { admit, set, record, host } = await openAdmission();
    await record(50, testStartMs - 5);
    await record(1, testStartMs);
    await set({ prepaid: { units: 3, sinceMs: testStartMs } });
    admitted(await admit()).settle(1);
    const last = admitted(await admit());
    expect(headersOf(last)).toMatchObject({
      'RateLimit-Policy': '"prepaid";q=3',
      RateLimit: '"prepaid";r=0',
    });
    host.jump(testStartMs + 400 * 24 * HOUR_MS);
    expect(refused(await admit())).toMatchObject({ refused: 'prepaid_exhausted' });
    expect(refused(await admit()).headers).not.toHaveProperty('Retry-After');
  });

  it('holds limits of the key beside those of the customer, whichever is tighter', async () => {
    const { admit, set, key, record } = await openAdmission();
    await set({ quota: { units: 5, per: 'day' } }, { kind: 'key', keyId: key.id });
    await set({ quota: { units: 8, per: 'month' } });
    expect(headersOf(admitted(await admit(2)))).toMatchObject({
      'RateLimit-Policy': '"key-quota";q=5;w=86400, "quota";q=8;w=2592000',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Remaining': '3',
    });
    expect(refused(await admit(4)).detail).toMatch(/3 units are left/);
    await record(0);
  });

  it('takes each limit from the customer, else the price, else the configuration, and lifts what is lifted', async () => {
    const defaults = { rate: { count: 1, perMs: 1_000 }, quota: { units: 1, per: 'day' as const } };
    const { admit, set, host } = await openAdmission({ defaults });
    async function policy(): Promise<string | undefined> {
      await host.advance(1_000);
      return headersOf(admitted(await admit(0)))['RateLimit-Policy'];
    }
    expect(await policy()).toBe('"rate";q=1;w=1, "quota";q=1;w=86400');
    await set(
      { quota: { units: 7, per: 'hour' }, rate: { count: 9, perMs: 1_000 } },
      { kind: 'plan', priceId: 'price_1' },
    );
    expect(await policy()).toBe('"rate";q=9;w=1, "quota";q=7;w=3600');
    await set({ rate: null });
    expect(await policy()).toBe('"quota";q=7;w=3600');
  });

  it('uses up nothing with a call that is refused', async () => {
    const { admit, set } = await openAdmission();
    await set({ rate: { count: 5, perMs: 1_000 }, maxInFlight: 9, quota: { units: 3, per: 'day' } });
    for (let call = 0; call < 20; call += 1) refused(await admit(4));
    const after = admitted(await admit(3));
    expect(headersOf(after)).toMatchObject({
      RateLimit: '"concurrency";r=8, "rate";r=4;t=1, "quota";r=0;t=43200',
    });
    for (let call = 0; call < 20; call += 1) refused(await admit(1));
    after.release();
    expect(headersOf(admitted(await admit(3)))).toMatchObject({
      RateLimit: '"concurrency";r=8, "rate";r=3;t=1, "quota";r=0;t=43200',
    });
  });

  it('gives back what was reserved too much, and counts what was reserved too little', async () => {
    const { admit, set } = await openAdmission();
    await set({ quota: { units: 100, per: 'day' } });
    const call = admitted(await admit(60));
    refused(await admit(41));
    call.settle(10);
    call.release();
    const next = admitted(await admit(90));
    next.settle(95);
    expect(headersOf(next)['X-RateLimit-Remaining']).toBe('0');
    next.release();
    refused(await admit(1));
  });

  it('counts what calls use while no limit asks for it, for one that comes', async () => {
    const { admit, set, record } = await openAdmission();
    const use = async (units: number, call: Admission) => {
      await record(units);
      call.settle(units);
      call.release();
    };
    await set({ quota: { units: 10, per: 'day' } });
    await use(2, admitted(await admit()));
    await set({ quota: { units: 10, per: 'month' } });
    await use(3, admitted(await admit()));
    await set(undefined);
    const running = admitted(await admit());
    await use(1, admitted(await admit()));
    await set({ quota: { units: 10, per: 'day' } });
    expect(refused(await admit(5)).detail).toMatch(/4 units/);
    await use(3, running);
    expect(refused(await admit(2)).detail).toMatch(/1 units/);
    await set({ quota: { units: 10, per: 'month' } });
    expect(refused(await admit(2)).detail).toMatch(/1 units/);
  });

  it('lets in exactly what is left of 1,000 units when 10,000 calls come at once', async () => {
    const { admit, set, store, host, record } = await openAdmission();
    await record(500);
    await set({
      quota: { units: 1_500, per: 'month' },
      spendCapMinor: 10_000,
      prepaid: { units: 2_000, sinceMs: 0 },
    });
    const decisions = await Promise.all(Array.from({ length: 10_000 }, () => admit()));
    expect(decisions.filter((decision) => !('refused' in decision))).toHaveLength(1_000);
    // What crashed with its reservations open is gone: the ledger is what counts.
    await record(999);
    expect(headersOf(admitted(await admit(1, openOn({ store, host }))))['X-RateLimit-Remaining']).toBe('0');
  });

  it('notices within a look what another process recorded, once', async () => {
    const { admit, set, admission, host, store, record } = await openAdmission();
    await set({ quota: { units: 10, per: 'day' } });
    let writes = 0;
    const watching = openOn({ host, store: { ...store, otherUsage: async () => writes } });
    await watching.tick();
    const mine = admitted(await admit(2, watching));
    await record(4);
    await watching.tick();
    expect(refused(await admit(9, watching)).detail).toMatch(/8 units/);
    writes += 1;
    await watching.tick();
    expect(refused(await admit(9, watching)).detail).toMatch(/4 units/);
    await record(2);
    mine.settle(2);
    mine.release();
    expect(refused(await admit(9, watching)).detail).toMatch(/4 units/);
    writes += 1;
    await watching.tick();
    expect(refused(await admit(9, watching)).detail).toMatch(/4 units/);
    await admission.close();
  });

  it('says how limits stand without taking anything, also where nobody has asked before', async () => {
    const { admit, set, record, headers, host } = await openAdmission();
    expect(await headers()).toEqual({});
    await record(2);
    await set({ rate: { count: 5, perMs: 1_000 }, maxInFlight: 9, quota: { units: 6, per: 'hour' } });
    const untouched = {
      'RateLimit-Policy': '"concurrency";q=9;qu="concurrent-requests", "rate";q=5;w=1, "quota";q=6;w=3600',
      RateLimit: '"concurrency";r=9, "rate";r=5;t=0, "quota";r=4;t=3600',
      'X-RateLimit-Limit': '6',
      'X-RateLimit-Remaining': '4',
      'X-RateLimit-Reset': '3600',
    };
    expect(await headers()).toEqual(untouched);
    expect(await headers()).toEqual(untouched);
    const call = admitted(await admit(3));
    expect(await headers()).toEqual(headersOf(call));
    call.settle(4);
    call.release();
    expect(await headers()).toMatchObject({
      RateLimit: '"concurrency";r=9, "rate";r=4;t=1, "quota";r=0;t=3600',
    });
    host.jump(testStartMs + HOUR_MS);
    expect((await headers()).RateLimit).toContain('"quota";r=6;t=3600');
  });

  it('rejects while the ledger cannot be read, and recovers', async () => {
    const { store, host, set, admit, headers } = await openAdmission();
    await set({ quota: { units: 1, per: 'day' } });
    let broken = true;
    const countUnits: typeof store.countUnits = async (...asked) => {
      if (broken) throw new Error('disk');
      return store.countUnits(...asked);
    };
    const flaky = openOn({ host, store: { ...store, countUnits } });
    await expect(admit(1, flaky)).rejects.toThrow('disk');
    await expect(headers(flaky)).rejects.toThrow('disk');
    broken = false;
    expect((await headers(flaky))['X-RateLimit-Remaining']).toBe('1');
    admitted(await admit(1, flaky));
    refused(await admit(1, flaky));
  });
});
