import { describe, expect, it } from 'vitest';
import type { Crossing } from '../../src/domain/alert.js';
import type { Limits } from '../../src/domain/limit.js';
import { testStartMs } from '../support/host.js';
import { openAdmission, openOn } from './open-admission.js';

async function openWatch(limits: Limits, thresholds = [50, 80, 100]) {
  const told: Crossing[] = [];
  const alerts = { thresholds, crossed: (crossing: Crossing) => told.push(crossing) > 0 };
  const opened = await openAdmission({ alerts });
  await opened.set(limits);
  async function use(units: number): Promise<string[]> {
    const before = told.length;
    const decision = await opened.admit(units);
    if (!('refused' in decision)) {
      await opened.record(units);
      decision.settle(units);
      decision.release();
    }
    return told.slice(before).map(({ limit, threshold, used }) => `${limit} ${threshold}: ${used}`);
  }
  return { ...opened, told, use, alerts };
}

describe('thresholds', () => {
  it('are told as usage reaches them, once', async () => {
    const { use } = await openWatch({ quota: { units: 10, per: 'day' } });
    expect(await use(4)).toEqual([]);
    expect(await use(1)).toEqual(['quota 50: 5']);
    expect(await use(1)).toEqual([]);
    expect(await use(3)).toEqual(['quota 80: 9']);
    expect(await use(5)).toEqual([]);
    expect(await use(1)).toEqual(['quota 100: 10']);
    expect(await use(1)).toEqual([]);
  });

  it('begin anew with the window', async () => {
    const { use, host, told } = await openWatch({ quota: { units: 10, per: 'hour' } }, [100]);
    expect(await use(10)).toEqual(['quota 100: 10']);
    host.jump(testStartMs + 3_600_000);
    expect(await use(9)).toEqual([]);
    expect(await use(1)).toEqual(['quota 100: 10']);
    expect(told.map(({ window }) => window.startMs)).toEqual([testStartMs, testStartMs + 3_600_000]);
  });

  it('are told also when what is new is read for an answer that takes nothing', async () => {
    const { admission, admit, headers, record, told } = await openWatch(
      { quota: { units: 10, per: 'day' } },
      [100],
    );
    const decision = await admit();
    if ('refused' in decision) throw new Error(decision.detail);
    decision.release();
    await record(10);
    admission.recount();
    expect(await headers()).toMatchObject({ 'X-RateLimit-Remaining': '0' });
    expect(told).toHaveLength(1);
    expect(await admit()).toMatchObject({ refused: 'quota_exceeded' });
    expect(told).toHaveLength(1);
  });

  it('are parts of the money of a spend cap, and of prepaid units', async () => {
    const prepaid = { units: 100, sinceMs: testStartMs };
    const { use, told } = await openWatch({ spendCapMinor: 100, prepaid });
    // A unit is 5 cents.
    expect(await use(9)).toEqual([]);
    expect(await use(1)).toEqual(['spend_cap 50: 50']);
    expect(await use(10)).toEqual(['spend_cap 80: 100', 'spend_cap 100: 100']);
    expect(told[0]?.window.endMs).not.toBeNull();
  });

  it('are told after a restart, and for what was recorded without a call', async () => {
    const { record, store, host, alerts, told } = await openWatch({ quota: { units: 10, per: 'day' } });
    let writes = 0;
    const admission = openOn({ host, store: { ...store, otherUsage: async () => writes } }, { alerts });
    await admission.tick();
    await record(8);
    await admission.tick();
    expect(told).toEqual([]);
    writes += 1;
    await record(0);
    await admission.tick();
    expect(told.map(({ threshold, used }) => [threshold, used])).toEqual([
      [50, 8],
      [80, 8],
    ]);
  });

  it('are looked for as far as usage had come, while others go on', async () => {
    const { record, store, host, alerts, told } = await openWatch({ quota: { units: 2, per: 'day' } });
    let looks = 0;
    const busy: typeof store = {
      ...store,
      otherUsage: async () => looks,
      async listUsedSince(usageId) {
        looks += 1;
        if (looks < 100) await record(1);
        return store.listUsedSince(usageId);
      },
    };
    const admission = openOn({ host, store: busy }, { alerts });
    await admission.tick();
    await admission.tick();
    expect(looks).toBeLessThan(10);
    expect(told).not.toEqual([]);
  });

  it('are looked for a thousand customers at a time, and the mark waits for the last of them', async () => {
    const { record, store, host, alerts, told } = await openWatch({ quota: { units: 2, per: 'day' } }, [100]);
    await record(2);
    const strangers = Array.from({ length: 2_000 }, (_, index) => `cus_of_${index}`);
    const many: typeof store = {
      ...store,
      async listUsedSince(usageId) {
        const used = await store.listUsedSince(usageId);
        return { ...used, customerIds: [...(usageId === undefined ? [] : strangers), ...used.customerIds] };
      },
    };
    await store.recordMark('usage_watched', '0');
    const admission = openOn({ host, store: many }, { alerts });
    for (const _ of ['first', 'second']) {
      await admission.tick();
      expect(told).toEqual([]);
      host.jump(host.clock.nowMs() + 60_000);
    }
    expect(await store.findMark('usage_watched')).toBe('0');
    const closing = AbortSignal.abort();
    await admission.tick(closing);
    expect(told).toEqual([]);
    await admission.tick();
    expect(told).toHaveLength(1);
    host.jump(host.clock.nowMs() + 60_000);
    await admission.tick();
    expect(await store.findMark('usage_watched')).toBe('1');
  });

  it('are told also where others write while it is being looked how far they have come', async () => {
    const { record, store, host, alerts, told } = await openWatch({ quota: { units: 2, per: 'day' } }, [100]);
    let writes = 0;
    let isLate = false;
    const late: typeof store = {
      ...store,
      otherUsage: async () => writes,
      async listUsedSince(usageId) {
        if (isLate) {
          isLate = false;
          await record(2);
          writes += 1;
        }
        return store.listUsedSince(usageId);
      },
    };
    const admission = openOn({ host, store: late }, { alerts });
    await admission.tick();
    isLate = true;
    await admission.tick();
    await admission.tick();
    expect(told).toHaveLength(1);
  });

  it('are told again until somebody remembers them, by the next call and by the next look', async () => {
    const { use, record, store, host } = await openWatch({ quota: { units: 10, per: 'day' } });
    const told: string[] = [];
    let places = 1;
    const crossed = ({ threshold, used }: Crossing) => {
      if (told.length === places) return false;
      told.push(`${threshold}: ${used}`);
      return true;
    };
    const alerts = { thresholds: [50, 80], crossed };
    await store.recordMark('usage_watched', '0');
    await record(8);
    const looking = openOn({ host, store }, { alerts });
    await looking.tick();
    expect(told).toEqual(['50: 8']);
    places = 3;
    await looking.tick();
    expect(told).toEqual(['50: 8', '50: 8', '80: 8']);
    const calling = await openAdmission({ alerts });
    await calling.set({ quota: { units: 5, per: 'day' } });
    await calling.record(5);
    expect(await calling.admit()).toMatchObject({ refused: 'quota_exceeded' });
    expect(told).toHaveLength(3);
    places = 4;
    const free = await calling.admit(0);
    if ('refused' in free) throw new Error(free.detail);
    expect(told.slice(3)).toEqual(['50: 5']);
    places = 9;
    free.settle(0);
    free.release();
    expect(told.slice(4)).toEqual(['80: 5']);
    expect(await use(0)).toEqual(['quota 50: 8', 'quota 80: 8']);
  });

  it('are told by the next process where this one was killed before it could, or nobody ran', async () => {
    const { record, store, host, alerts, told } = await openWatch({ quota: { units: 10, per: 'day' } });
    const start = async () => {
      told.length = 0;
      const admission = openOn({ host, store }, { alerts });
      await admission.tick();
      return { admission, told: told.map(({ threshold, used }) => [threshold, used]) };
    };
    expect((await start()).told).toEqual([]);
    await record(8);
    const second = await start();
    expect(second.told).toEqual([
      [50, 8],
      [80, 8],
    ]);
    for (let minute = 0; minute < 3; minute += 1) {
      host.jump(host.clock.nowMs() + 60_000);
      await second.admission.tick();
    }
    expect((await start()).told).toEqual([]);
    await record(2);
    expect((await start()).told).toEqual([
      [50, 10],
      [80, 10],
      [100, 10],
    ]);
  });

  it('are told of what is counted anew, also where it leaves no room for the call that asks', async () => {
    const { record, use, admission } = await openWatch({ quota: { units: 10, per: 'day' } });
    expect(await use(6)).toEqual(['quota 50: 6']);
    await record(3);
    admission.recount();
    expect(await use(5)).toEqual(['quota 80: 9']);
    expect(await use(5)).toEqual([]);
  });

  it('are not told of keys', async () => {
    const { set, key, use } = await openWatch({});
    await set({ quota: { units: 1, per: 'day' } }, { kind: 'key', keyId: key.id });
    expect(await use(1)).toEqual([]);
  });
});
