/** Random histories of two processes that sell to one customer: together they stay within its limits. */

import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import type { Admission } from '../../src/access/reservation.js';
import type { CallStep } from '../../src/domain/open-call.js';
import type { Store } from '../../src/domain/store.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { openStore } from '../../src/sqlite/store.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { addSubscriber } from '../support/store.js';
import { openOn } from './open-admission.js';

const HOUR_MS = 3_600_000;
const quota = 20;

/** What happens next, at one of the two. */
interface Step {
  seller: 0 | 1;
  what: 'call' | 'stream' | 'grow' | 'end' | 'hang-up' | 'look' | 'wait';
  which: number;
  units: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  seller: fc.constantFrom(0 as const, 1 as const),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('call', 'grow', 'end') },
    { weight: 2, arbitrary: fc.constantFrom('stream', 'look') },
    { weight: 1, arbitrary: fc.constantFrom('hang-up', 'wait') },
  ),
  which: fc.nat(),
  units: fc.integer({ min: 0, max: 9 }),
});

interface Open {
  admission: Admission;
  /** Of a stream that is on disk. */
  call: CallStep | undefined;
  units: number;
  /** When it came. */
  atMs: number;
}

type Subscriber = Awaited<ReturnType<typeof addSubscriber>>;

/** One process. */
function createSeller(store: Store, host: FakeHost, { customer, key }: Subscriber) {
  const admission = openOn({ store, host });
  let open: Open[] = [];

  const row = (units: number, by: Admission, atMs: number, call?: CallStep) => {
    const use = { customer, keyNo: key.no, route: 'GET /api', units, atMs, call, room: by.room };
    return usageRow(use, { meter: 'calls', windowMs: 2_000 });
  };

  /** Lets a call in, or not; nothing is written of it yet. */
  async function admit(units: number): Promise<Admission | undefined> {
    const request = { caller: { customer, key }, priceId: 'price_1', units, atMs: host.clock.nowMs() };
    const decision = await admission.admit(request);
    return 'refused' in decision ? undefined : decision;
  }

  async function write({ units, atMs, call, admission: by }: Open): Promise<number | undefined> {
    const [recorded] = await store.recordUsage([row(units, by, atMs, call)], host.clock.nowMs());
    if (recorded?.recorded !== 'no_room') return recorded?.units;
    const refusal = await by.lookAgain(call?.heldUnits ?? units, atMs);
    expect(refusal).toMatchObject({ refused: 'quota_exceeded' });
    return undefined;
  }

  async function stream(units: number): Promise<void> {
    const by = await admit(units);
    if (!by) return;
    const id = host.ids.next('call');
    const call: CallStep = { id, step: 'open', heldUnits: by.held, onAbort: 'delivered', seenAtMs: 0 };
    const begun: Open = { admission: by, call, units: 0, atMs: host.clock.nowMs() };
    if ((await write(begun)) === undefined) by.release();
    else open.push(begun);
  }

  async function grow(stream: Open, more: number): Promise<void> {
    if (!stream.call) return;
    stream.units = stream.admission.holdUpTo(stream.units + more);
    const { atMs, window, periodStartMs, room } = row(
      stream.units,
      stream.admission,
      stream.admission.atMs ?? 0,
    );
    const heldUnits = stream.admission.held;
    const progress = { units: stream.units, heldUnits, atMs, window, periodStartMs, room };
    const [owed = 0] = await store.recordProgress([{ ...progress, id: stream.call.id, seenAtMs: 0 }]);
    stream.units = owed;
  }

  async function end(call: Open): Promise<void> {
    const { admission: by, call: step } = call;
    const units = step ? by.holdUpTo(call.units) : call.units;
    const over = step && { call: { ...step, step: 'over' as const }, atMs: by.atMs ?? 0 };
    const billed = await write({ ...call, ...over, units: Math.min(units, call.units) });
    if (billed !== undefined) by.settle(billed, over?.atMs);
    by.release();
  }

  return async ({ what, which, units }: Step): Promise<void> => {
    if (what === 'look') await admission.tick();
    if (what === 'stream') await stream(units);
    if (what === 'call') {
      const by = await admit(units);
      if (by) open.push({ admission: by, call: undefined, units, atMs: host.clock.nowMs() });
    }
    const chosen = open[which % open.length];
    if (!chosen) return;
    if (what === 'grow') await grow(chosen, units);
    if (what !== 'end' && what !== 'hang-up') return;
    open = open.filter((other) => other !== chosen);
    if (what === 'hang-up' && !chosen.call) chosen.admission.release();
    else await end(chosen);
  };
}

async function openHistory() {
  const host = createFakeHost();
  const path = join(createTestFolder(), 'meterctl.db');
  const stores = [await openStore({ path, host }), await openStore({ path, host })] as const;
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const subscriber = await addSubscriber(stores[0], host);
  const { customer } = subscriber;
  const limits = { quota: { units: quota, per: 'hour' } } as const;
  const act = { actor: 'system', atMs: 0 } as const;
  await stores[0].recordLimits({ kind: 'customer', customerId: customer.id }, limits, act);
  const sellers = stores.map((store) => createSeller(store, host, subscriber));
  let sold = 0;
  return {
    async run(next: Step): Promise<void> {
      if (next.what === 'wait') await host.advance(HOUR_MS / 4);
      await sellers[next.seller]?.(next);
      for (let hour = 0; hour < 3; hour += 1) {
        const fromMs = Math.floor(host.clock.nowMs() / HOUR_MS - hour) * HOUR_MS;
        const { units } = await stores[0].sumUsage({ fromMs, toMs: fromMs + HOUR_MS });
        expect(units).toBeLessThanOrEqual(quota);
        sold = Math.max(sold, units);
      }
    },
    /** The most of an hour. */
    sold: () => sold,
  };
}

it('two processes stay within a quota, whatever their calls do and whenever they look at each other', async () => {
  let most = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
      const history = await openHistory();
      for (const next of steps) await history.run(next);
      most = Math.max(most, history.sold());
    }),
    { numRuns: 100, endOnFailure: true },
  );
  // The histories reach what they are about.
  expect(most).toBe(quota);
});
