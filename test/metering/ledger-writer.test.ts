import { describe, expect, it } from 'vitest';
import { MeterctlError } from '../../src/domain/error.js';
import type { UsageStore } from '../../src/domain/store.js';
import type { NewUsage } from '../../src/domain/usage.js';
import { createLedgerWriter } from '../../src/metering/ledger-writer.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

async function setUp() {
  const host = createFakeHost();
  const real = await openTestStore(host);
  const { customer } = await addSubscriber(real, host);
  const batches: number[] = [];
  const broken = { now: false };
  const store: UsageStore = {
    ...real,
    recordUsage(entries, nowMs) {
      batches.push(entries.length);
      if (broken.now) return Promise.reject(new MeterctlError('unavailable', 'disk full'));
      return real.recordUsage(entries, nowMs);
    },
  };
  const row = (): NewUsage =>
    usageRow(
      { customer, keyNo: null, route: 'GET /api', units: 1, atMs: host.clock.nowMs() },
      { meter: 'calls', windowMs: 2_000 },
    );
  return {
    host,
    real,
    customer,
    writer: createLedgerWriter({ store, clock: host.clock, log: host.log }),
    row,
    batches,
    broken,
  };
}

describe('the ledger writer', () => {
  it('shares one commit between calls that come together, and numbers them in order', async () => {
    const { writer, row, batches } = await setUp();
    const recorded = await Promise.all(Array.from({ length: 50 }, () => writer.record(row())));
    expect(batches).toEqual([50]);
    expect(recorded.map(({ periodUnits }) => periodUnits)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  });

  it('waits for the rounds of I/O that bring more calls, but for nothing else', async () => {
    const { writer, row, batches } = await setUp();
    const recorded = [writer.record(row())];
    await new Promise<void>((resolve) => {
      // The first round ends with two calls, the next one with three, and the one after that with no more.
      recorded.push(writer.record(row()));
      setImmediate(() => {
        recorded.push(writer.record(row()));
        setImmediate(() => setImmediate(resolve));
      });
    });
    recorded.push(writer.record(row()));
    await Promise.all(recorded);
    expect(batches).toEqual([3, 1]);
  });

  it('commits at once for one who is alone, and gathers again as soon as others come', async () => {
    const { writer, row, batches } = await setUp();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const idle = async () => {
      for (let turns = 0; turns < 3; turns += 1) await turn();
    };
    const recordMany = (calls: number) =>
      Promise.all(Array.from({ length: calls }, () => writer.record(row())));
    await recordMany(1);
    expect(batches).toEqual([1]);
    await idle();
    expect(writer.record(row()), 'before anything else runs').toMatchObject({ periodUnits: 2 });
    expect(batches).toEqual([1, 1]);
    await idle();
    // The first of them is taken to be alone; after that nobody is.
    await recordMany(5);
    expect(batches).toEqual([1, 1, 1, 4]);
    await idle();
    await recordMany(5);
    expect(batches).toEqual([1, 1, 1, 4, 5]);
    // One who comes while the last one is answered, or with the round of I/O after it, is not alone.
    for (const rounds of [0, 1]) {
      await recordMany(1);
      for (let round = 0; round < rounds; round += 1) await turn();
      const before = batches.length;
      const next = writer.record(row());
      expect(batches).toHaveLength(before);
      await next;
      await idle();
      await idle();
      await recordMany(2);
      await idle();
    }
  });

  it('fails exactly the calls of a commit that failed, and goes on with the next', async () => {
    const { writer, row, broken, real, customer } = await setUp();
    await writer.record(row());
    broken.now = true;
    const failed = await Promise.allSettled([writer.record(row()), writer.record(row())]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken.now = false;
    await writer.record(row());
    expect(await real.findPeriodUnits(customer.no, 'calls', row().periodStartMs)).toBe(2);
  });

  it('fails one who is alone, too, and is quiet again after the next', async () => {
    const { host, writer, row, broken, batches } = await setUp();
    const idle = async () => {
      for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    await writer.record(row());
    await idle();
    broken.now = true;
    await expect(writer.record(row())).rejects.toThrow('disk full');
    await idle();
    broken.now = false;
    expect(writer.record(row())).toMatchObject({ recorded: 'new' });
    expect(batches).toEqual([1, 1, 1]);
    expect(host.lines).toHaveLength(2);
    await writer.drain();
  });

  it('refuses beyond its bound instead of piling up, and keeps what it has', async () => {
    const { writer, row } = await setUp();
    const results = await Promise.allSettled(Array.from({ length: 10_010 }, () => writer.record(row())));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10_000);
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  });

  it('drains', async () => {
    const { writer, row } = await setUp();
    let done = 0;
    const record = async () => {
      await writer.record(row());
      done += 1;
    };
    for (let call = 0; call < 2_500; call += 1) void record();
    await writer.drain();
    expect(done).toBe(2_500);
    await writer.drain();
  });
});
