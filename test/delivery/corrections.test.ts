/** Taking back what Stripe has, through the real SDK; and that whatever happens, Stripe counts what the ledger holds. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeterctlError } from '../../src/domain/error.js';
import type { Store } from '../../src/domain/store.js';
import type { VoidedUsage } from '../../src/domain/usage.js';
import { recordUsageOnce } from '../../src/metering/record-once.js';
import { voidUsage } from '../../src/metering/void-usage.js';
import { type CorrectionsWorld, type Fault, openCorrectionsWorld } from '../support/corrections-world.js';

const hour = 3_600_000;

describe('taking back what Stripe has', () => {
  it('cancels the event within a day', async () => {
    const world = await deliveredUsage(5);
    await world.takeBack(0);
    await world.drain();
    expect(await world.stripeUnits()).toBe(0);
    expect(await corrections(world.store)).toMatchObject([
      { state: 'delivered', cancels: expect.any(String) },
    ]);
  });

  it('is done when somebody has cancelled the event already', async () => {
    const world = await deliveredUsage(5);
    const [{ id = '' } = {}] = (await world.store.listDeliveries({}, { limit: 1 })).data;
    await world.stripe.billing.meterEventAdjustments.create({
      event_name: 'calls',
      type: 'cancel',
      cancel: { identifier: id },
    });
    await world.takeBack(0);
    await world.drain();
    expect(await world.stripeUnits()).toBe(0);
    expect(await corrections(world.store)).toMatchObject([{ state: 'delivered' }]);
  });

  it('sends an event of less than nothing when Stripe says that it is too late', async () => {
    const world = await deliveredUsage(5);
    await world.takeBack(0);
    world.host.jump(world.host.clock.nowMs() + 25 * hour);
    await world.drain();
    expect(await corrections(world.store)).toMatchObject([{ state: 'delivered', cancels: null, units: -5 }]);
    expect(await world.stripeUnits()).toBe(0);
  });

  it('sends an event of less than nothing from the second day on', async () => {
    const world = await deliveredUsage(5);
    world.host.jump(world.host.clock.nowMs() + 23 * hour + 1);
    expect(await world.takeBack(0)).toMatchObject({ how: 'negative' });
    await world.drain();
    expect(await world.stripeUnits()).toBe(0);
  });

  it('leaves what Stripe has counted when it rejects the usage itself later: what is refused is what Stripe lacks', async () => {
    const world = await openCorrectionsWorld();
    const { store, host } = world;
    await world.record(5);
    await world.record(3);
    await world.drain();
    expect(await world.takeBack(1)).toMatchObject({ how: 'negative' });
    await world.drain();
    const [original] = (await store.listDeliveries({}, { limit: 9 })).data.filter(({ units }) => units > 0);
    await store.rejectDeliveries([{ id: original?.id ?? '', identifierNumber: 1, reason: 'too late' }]);
    const sums = () => store.sumUsage({ fromMs: 0, toMs: host.clock.nowMs() });
    expect(await sums()).toMatchObject({ units: 5, delivered: -3, refused: 8 });
    await world.drain();
    expect(await sums()).toMatchObject({ units: 5, delivered: 5, refused: 0 });
  });

  it('says what to do once the invoice is final, and until then an hour after the period', async () => {
    const world = await deliveredUsage(5, 3);
    world.host.jump(world.periodEndMs + hour - 1);
    expect(await world.takeBack(0)).toMatchObject({ how: 'negative' });
    world.host.jump(world.periodEndMs + hour);
    await expect(world.takeBack(1)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('credit note'),
    });
    const { store, host, customerId } = world;
    const settings = { meter: 'calls', windowMs: 5_000 };
    const correction = { customerId, units: -1, correct: true, atMs: world.periodEndMs - 1 };
    await expect(recordUsageOnce({ store, host, settings }, correction)).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('refuses what is not there, and what takes something back itself', async () => {
    const world = await deliveredUsage(5);
    const voided = await world.takeBack(0);
    const again = (usageId: number) => voidUsage(world, { usageId, reason: 'a mistake', actor: 'system' });
    await expect(again(4711)).rejects.toMatchObject({ code: 'not_found' });
    await expect(again(voided.id)).rejects.toMatchObject({ code: 'conflict' });
    expect(await world.takeBack(0)).toEqual({ ...voided, recorded: 'repeat' });
  });

  it.each([
    [-1, undefined, 'above zero'],
    [10 ** 15, undefined, 'at most 15 digits'],
    [1, true, 'below zero'],
    [0, true, 'below zero'],
    [-0.5, true, 'below zero'],
  ])('takes %d units with correct %s for a mistake', async (units, correct, message) => {
    const { store, host, customerId } = await openCorrectionsWorld();
    const settings = { meter: 'calls', windowMs: 5_000 };
    const reported = { customerId, units, correct, atMs: host.clock.nowMs() };
    await expect(recordUsageOnce({ store, host, settings }, reported)).rejects.toThrow(message);
  });
});

/** How requests may end. `none` stands here as often as in a bad week. */
const fault = fc.constantFrom<Fault>(
  'none',
  'none',
  'busy',
  'dropped',
  'lost',
  'failed',
  'refused',
  'rejected',
);

/** Long enough for a window to end; and for a lease, and every pause of the courier, too. */
const afterMs = fc.constantFrom(6_000, 360_000);

/** In the window of what was recorded before, or in one of its own. */
const apartMs = fc.constantFrom(0, 6_000);

const recording = (min: number, max: number) =>
  fc.record({ do: fc.constant('record' as const), afterMs: apartMs, units: fc.integer({ min, max }) });

const step = fc.oneof(
  { weight: 6, arbitrary: recording(1, 9) },
  { weight: 1, arbitrary: recording(-9, -1) },
  // Counted from the youngest row: what was used long ago has mostly been taken back already.
  { weight: 6, arbitrary: fc.record({ do: fc.constant('takeBack' as const), row: fc.nat(4) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      afterMs,
      faults: fc.array(fault, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('die' as const), afterMs, sent: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'answerLate' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'report' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'retry' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'sleepOver' as const }) },
);

describe('whatever happens', () => {
  it('Stripe counts in the end what the ledger holds', async () => {
    const shared = await openCorrectionsWorld();
    const ways = new Map<string, number>();
    const story = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(story, async (steps) => {
        const world = await openCorrectionsWorld(shared);
        for (const next of steps) {
          const voided = await take(world, next);
          if (voided?.recorded === 'new') ways.set(voided.how, (ways.get(voided.how) ?? 0) + 1);
          await expectBalance(world);
          await expectOrder(world);
        }
        await world.drain();
        const { units } = await expectBalance(world);
        expect(await world.store.countDeliveries(world.host.clock.nowMs())).toMatchObject({
          ...{ pending: 0, claimed: 0, refused: 0, uncertain: 0 },
        });
        expect(await world.stripeUnits()).toBe(units);
      }),
      { numRuns: 100 },
    );
    // A property over stories in which nothing happens would prove nothing: usually each is met 25 to 150 times.
    for (const met of ['busy', 'dropped', 'lost', 'failed', 'refused', 'rejected'] as const)
      expect(shared.met.get(met) ?? 0, met).toBeGreaterThan(10);
    for (const how of ['shrunk', 'cancelled', 'negative']) expect(ways.get(how) ?? 0, how).toBeGreaterThan(5);
  }, 120_000);
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: CorrectionsWorld, next: Step): Promise<VoidedUsage | undefined> {
  const { host, rows } = world;
  if ('afterMs' in next) host.jump(host.clock.nowMs() + next.afterMs);
  switch (next.do) {
    case 'record':
      await world.record(next.units);
      return undefined;
    case 'takeBack':
      return rows.length === 0
        ? undefined
        : world.takeBack(rows.length - 1 - (next.row % rows.length)).catch(unlessTooOld);
    case 'send':
      await world.send(next.faults);
      return undefined;
    case 'die':
      await world.die(next.sent);
      return undefined;
    case 'sleepOver':
      await world.drain();
      host.jump(host.clock.nowMs() + 25 * hour);
      return undefined;
    default:
      await world[next.do]();
      return undefined;
  }
}

/** After 35 days there is no way back, and nothing changes. */
function unlessTooOld(error: unknown): undefined {
  if (!(error instanceof MeterctlError) || error.code !== 'conflict') throw error;
  return undefined;
}

/** Nothing is taken back that has not arrived, and nothing is cancelled that Stripe does not count. */
async function expectOrder({ store }: CorrectionsWorld): Promise<void> {
  const { data } = await store.listDeliveries({}, { limit: 1_000 });
  const deliveries = new Map(data.map((delivery) => [delivery.id, delivery]));
  for (const { id, attempts, state, corrects, cancels } of data) {
    const original = corrects === null ? undefined : deliveries.get(corrects);
    if (!original) continue;
    // Rejected ones had arrived before, and have another identifier since.
    const arrived = original.state === 'delivered' || original.identifierNumber > 1;
    if (attempts > 0) expect(arrived, `${id} was sent before ${corrects}`).toBe(true);
    if (cancels !== null && state === 'delivered')
      expect(original.state, `${id} cancels ${cancels}`).toBe('delivered');
  }
}

async function expectBalance({ store, host, meter, customerId, periodStartMs }: CorrectionsWorld) {
  const sums = await store.sumUsage({ fromMs: 0, toMs: host.clock.nowMs() + hour });
  const { units, delivered, pending, uncertain, refused } = sums;
  expect(delivered + pending + uncertain + refused).toBe(units);
  const customer = await store.findCustomer(customerId);
  expect(await store.findPeriodUnits(customer?.no ?? 0, meter, periodStartMs)).toBe(units);
  return sums;
}

async function deliveredUsage(...units: number[]): Promise<CorrectionsWorld> {
  const world = await openCorrectionsWorld();
  for (const count of units) await world.record(count);
  await world.drain();
  expect(await world.stripeUnits()).toBe(units.reduce((sum, count) => sum + count, 0));
  return world;
}

async function corrections(store: Store) {
  return (await store.listDeliveries({}, { limit: 100 })).data.filter(({ corrects }) => corrects !== null);
}
