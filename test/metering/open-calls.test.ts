import { describe, expect, it } from 'vitest';
import { MeterctlError } from '../../src/domain/error.js';
import type { CallStep } from '../../src/domain/open-call.js';
import type { AbortPolicy } from '../../src/domain/route.js';
import type { Store } from '../../src/domain/store.js';
import { createLedgerWriter } from '../../src/metering/ledger-writer.js';
import { type CallBeginning, createOpenCalls, type OpenCall } from '../../src/metering/open-calls.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost } from '../support/host.js';
import { createProcesses, type FakeProcess } from '../support/processes.js';
import { addSubscriber, newStorePath, openTestStore } from '../support/store.js';

/** One process: its own open calls on the database that all share. */
async function startProcess(path: string, { host, end }: FakeProcess) {
  const store = await openTestStore(host, path);
  const broken = { now: false };
  const slow = { until: Promise.resolve(), commits: 0 };
  const flaky: Store = {
    ...store,
    async recordProgress(calls) {
      slow.commits += 1;
      await slow.until;
      return store.recordProgress(calls);
    },
    async recordUsage(entries, nowMs) {
      if (broken.now) throw new MeterctlError('unavailable', 'disk full');
      return store.recordUsage(entries, nowMs);
    },
  };
  const recounts = { made: 0 };
  const recount = () => {
    recounts.made += 1;
  };
  const ledger = createLedgerWriter({ store: flaky, clock: host.clock, log: host.log });
  const calls = createOpenCalls({ store: flaky, ledger, host, recount });
  return {
    ...{ broken, slow, ledger, recounts, end },
    calls: {
      ...calls,
      /** Begins a call that no limits hold for. */
      async open(beginning: CallBeginning): Promise<OpenCall> {
        const call = await calls.open(beginning);
        if (call === 'no_room') throw new Error('there are no limits');
        return call;
      },
    },
  };
}

async function setUp() {
  const host = createFakeHost();
  const path = newStorePath();
  const store = await openTestStore(host, path);
  const startOne = createProcesses(host);
  const start = () => startProcess(path, startOne());
  const { customer } = await addSubscriber(store, host);
  const settled: number[] = [];
  const begin = (owed: { units: number }, onAbort: AbortPolicy = 'delivered') => {
    const usage = (units: number, call?: CallStep) => {
      const use = { customer, keyNo: null, route: 'GET /stream', units, atMs: host.clock.nowMs(), call };
      return usageRow(use, { meter: 'calls', windowMs: 2_000 });
    };
    const settle = (units: number) => void settled.push(units);
    return {
      usage,
      owed: () => owed.units,
      held: () => 0,
      onAbort,
      outsold: () => undefined,
      settled: settle,
    };
  };
  const sums = () => store.sumUsage({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
  return { host, store, start, begin, settled, sums };
}

describe('open calls', () => {
  it('are billed at their end, once', async () => {
    const { start, begin, settled, sums } = await setUp();
    const { calls, ledger } = await start();
    const call = await calls.open(begin({ units: 0 }));
    expect(await sums()).toMatchObject({ units: 0, requests: 0 });
    call.end(7);
    call.end(8);
    await ledger.drain();
    await calls.tick();
    expect(await sums()).toMatchObject({ units: 7, requests: 1 });
    expect(settled).toEqual([7]);
  });

  it('count for nothing where another process has billed the same call', async () => {
    const { host, store, start, begin, settled, sums } = await setUp();
    const { calls } = await start();
    const beginning = begin({ units: 0 });
    const usage: typeof beginning.usage = (...row) => ({ ...beginning.usage(...row), idempotencyKey: 'k' });
    const call = await calls.open({ ...beginning, usage });
    await store.recordUsage([usage(7)], host.clock.nowMs());
    await call.end(5);
    expect(await sums()).toMatchObject({ units: 7, requests: 1 });
    expect(settled).toEqual([0]);
  });

  it('are billed by their policy after a crash, once, as far as they were seen', async () => {
    const { start, begin, sums } = await setUp();
    const crashed = await start();
    const owed = { units: 1 };
    await crashed.calls.open(begin(owed, 'delivered'));
    await crashed.calls.open(begin(owed, 'upstream'));
    await crashed.calls.open(begin(owed, 'none'));
    owed.units = 5;
    await crashed.calls.tick();
    owed.units = 6;
    const next = [await start(), await start()];
    await next[0]?.calls.tick();
    expect(await sums()).toMatchObject({ units: 0, requests: 0 });
    crashed.end();
    await Promise.all(next.map(({ calls }) => calls.tick()));
    expect(await sums()).toMatchObject({ units: 10, requests: 3 });
    await Promise.all(next.map(({ calls }) => calls.tick()));
    expect(await sums()).toMatchObject({ units: 10, requests: 3 });
  });

  it('are on disk as far as they had come when they were saved', async () => {
    const { start, begin, sums } = await setUp();
    const crashed = await start();
    const owed = [{ units: 1 }, { units: 1 }];
    const calls = [
      await crashed.calls.open(begin(owed[0]!)),
      await crashed.calls.open(begin(owed[1]!, 'upstream')),
    ];
    owed[0]!.units = 5;
    owed[1]!.units = 20;
    await Promise.all(calls.map((call) => call.save()));
    owed[0]!.units = 100;
    const next = await start();
    crashed.end();
    await next.calls.tick();
    expect(await sums()).toMatchObject({ units: 25, requests: 2 });
  });

  it('are saved with one commit when they ask while another one waits', async () => {
    const { host, start, begin, sums } = await setUp();
    const { calls, slow, end } = await start();
    const owed = { units: 0 };
    const call = await calls.open(begin(owed));
    let go: () => void = () => undefined;
    slow.until = new Promise((resolve) => {
      go = resolve;
    });
    const saves: Promise<void>[] = [];
    for (owed.units = 1; owed.units < 10; owed.units += 1) {
      saves.push(call.save());
      await host.advance(1);
    }
    go();
    await Promise.all(saves);
    expect(slow.commits).toBe(2);
    end();
    await (await start()).calls.tick();
    expect(await sums()).toMatchObject({ units: 10 });
  });

  it('are left alone while their process lives, also when they stand still', async () => {
    const { host, start, begin, settled, sums } = await setUp();
    const [one, two] = [await start(), await start()];
    const call = await one.calls.open(begin({ units: 3 }));
    for (let second = 0; second < 60; second += 1) {
      await host.advance(1_000);
      await one.calls.tick();
      await two.calls.tick();
    }
    expect(await sums()).toMatchObject({ units: 0 });
    call.end(4);
    await one.ledger.drain();
    expect(await sums()).toMatchObject({ units: 4, requests: 1 });
    expect(settled).toEqual([4]);
  });

  it.each([
    ['forth', 3_600_000],
    ['back', -3_600_000],
  ])('are left alone when the clock jumps %s', async (_how, byMs) => {
    const { host, start, begin, settled, sums } = await setUp();
    const [one, two] = [await start(), await start()];
    const call = await one.calls.open(begin({ units: 3 }));
    await two.calls.tick();
    host.jump(host.clock.nowMs() + byMs);
    // The other one looks before the first has said anew that it runs.
    await two.calls.tick();
    for (let second = 0; second < 60; second += 1) {
      await host.advance(1_000);
      await one.calls.tick();
      await two.calls.tick();
    }
    expect(await call.end(4)).toBe(4);
    expect(await sums()).toMatchObject({ units: 4, requests: 1 });
    expect(settled).toEqual([4]);
    expect(host.lines).toEqual([]);
  });

  it('of a process that has ended are closed at the next tick of another, and limits are counted anew', async () => {
    const { host, start, begin, sums } = await setUp();
    const [one, two] = [await start(), await start()];
    await one.calls.open(begin({ units: 3 }));
    await two.calls.open(begin({ units: 5 }));
    one.end();
    await two.calls.tick();
    expect(await sums()).toMatchObject({ units: 3, requests: 1 });
    expect(two.recounts.made).toBe(1);
    expect(host.lines).toMatchObject([
      { message: 'closed calls that a crash had left open', fields: { calls: 1 } },
    ]);
    await two.calls.tick();
    expect(two.recounts.made).toBe(1);
  });

  it('of a process that is not seen any more are closed after 15 ticks, and count for nothing when it comes back', async () => {
    const { host, start, begin, settled, sums } = await setUp();
    const [one, two] = [await start(), await start()];
    const owed = { units: 3 };
    const call = await one.calls.open(begin(owed));
    for (let second = 0; second < 15; second += 1) await two.calls.tick();
    expect(await sums()).toMatchObject({ units: 0 });
    await two.calls.tick();
    expect(await sums()).toMatchObject({ units: 3, requests: 1 });
    owed.units = 9;
    await one.calls.tick();
    await call.end(9);
    await two.calls.tick();
    expect(await sums()).toMatchObject({ units: 3, requests: 1 });
    expect(settled).toEqual([0]);
    expect(host.lines.at(-1)?.message).toBe('a call was closed by another process while it ran');
  });

  it('are closed a thousand at a time', async () => {
    const { start, begin, sums } = await setUp();
    const [one, two] = [await start(), await start()];
    await Promise.all(Array.from({ length: 2_300 }, () => one.calls.open(begin({ units: 1 }))));
    // Of one that cannot be known to have ended, too: what is left of a part was not seen since.
    for (let second = 0; second < 15; second += 1) await two.calls.tick();
    for (const closed of [1_000, 2_000, 2_300]) {
      await two.calls.tick();
      expect(await sums()).toMatchObject({ units: closed, requests: closed });
    }
  });

  it('whose end cannot be written are written when it can', async () => {
    const { start, begin, settled, sums } = await setUp();
    const { calls, broken, ledger } = await start();
    const call = await calls.open(begin({ units: 0 }));
    broken.now = true;
    await expect(calls.open(begin({ units: 0 }))).rejects.toMatchObject({ code: 'unavailable' });
    call.end(9);
    await ledger.drain();
    await calls.tick();
    expect(settled).toEqual([]);
    broken.now = false;
    await calls.tick();
    expect(await sums()).toMatchObject({ units: 9, requests: 1 });
    expect(settled).toEqual([9]);
  });
});
