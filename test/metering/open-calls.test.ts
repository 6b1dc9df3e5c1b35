import { describe, expect, it } from 'vitest';
import { MeterctlError } from '../../src/domain/error.js';
import type { CallStep } from '../../src/domain/open-call.js';
import type { AbortPolicy } from '../../src/domain/route.js';
import type { Store } from '../../src/domain/store.js';
import { createLedgerWriter } from '../../src/metering/ledger-writer.js';
import { type CallBeginning, createOpenCalls, type OpenCall } from '../../src/metering/open-calls.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

/** One process: its own open calls on the database that all share. */
function startProcess(store: Store, host: FakeHost) {
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
  const { clock, log, ids } = host;
  const ledger = createLedgerWriter({ store: flaky, clock, log });
  const calls = createOpenCalls({ store: flaky, ledger, clock, ids, log, recount: () => undefined });
  return {
    ...{ broken, slow, ledger },
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
  const store = await openTestStore(host);
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
  return { host, store, begin, settled, sums };
}

describe('open calls', () => {
  it('are billed at their end, once', async () => {
    const { host, store, begin, settled, sums } = await setUp();
    const { calls, ledger } = startProcess(store, host);
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
    const { host, store, begin, settled, sums } = await setUp();
    const { calls } = startProcess(store, host);
    const beginning = begin({ units: 0 });
    const usage: typeof beginning.usage = (...row) => ({ ...beginning.usage(...row), idempotencyKey: 'k' });
    const call = await calls.open({ ...beginning, usage });
    await store.recordUsage([usage(7)], host.clock.nowMs());
    await call.end(5);
    expect(await sums()).toMatchObject({ units: 7, requests: 1 });
    expect(settled).toEqual([0]);
  });

  it('are billed by their policy after a crash, once, as far as they were seen', async () => {
    const { host, store, begin, sums } = await setUp();
    const crashed = startProcess(store, host);
    const owed = { units: 1 };
    await crashed.calls.open(begin(owed, 'delivered'));
    await crashed.calls.open(begin(owed, 'upstream'));
    await crashed.calls.open(begin(owed, 'none'));
    owed.units = 5;
    await crashed.calls.tick();
    owed.units = 6;
    const next = [startProcess(store, host), startProcess(store, host)];
    await next[0]?.calls.tick();
    expect(await sums()).toMatchObject({ units: 0, requests: 0 });
    await host.advance(16_000);
    await Promise.all(next.map(({ calls }) => calls.tick()));
    expect(await sums()).toMatchObject({ units: 10, requests: 3 });
    await Promise.all(next.map(({ calls }) => calls.tick()));
    expect(await sums()).toMatchObject({ units: 10, requests: 3 });
  });

  it('are on disk as far as they had come when they were saved', async () => {
    const { host, store, begin, sums } = await setUp();
    const crashed = startProcess(store, host);
    const owed = [{ units: 1 }, { units: 1 }];
    const calls = [
      await crashed.calls.open(begin(owed[0]!)),
      await crashed.calls.open(begin(owed[1]!, 'upstream')),
    ];
    owed[0]!.units = 5;
    owed[1]!.units = 20;
    await Promise.all(calls.map((call) => call.save()));
    owed[0]!.units = 100;
    const next = startProcess(store, host);
    await host.advance(16_000);
    await next.calls.tick();
    expect(await sums()).toMatchObject({ units: 25, requests: 2 });
  });

  it('are saved with one commit when they ask while another one waits', async () => {
    const { host, store, begin, sums } = await setUp();
    const { calls, slow } = startProcess(store, host);
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
    await host.advance(16_000);
    await startProcess(store, host).calls.tick();
    expect(await sums()).toMatchObject({ units: 10 });
  });

  it('are left alone while their process lives, also when they stand still', async () => {
    const { host, store, begin, settled, sums } = await setUp();
    const [one, two] = [startProcess(store, host), startProcess(store, host)];
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

  it('whose end cannot be written are written when it can', async () => {
    const { host, store, begin, settled, sums } = await setUp();
    const { calls, broken, ledger } = startProcess(store, host);
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
