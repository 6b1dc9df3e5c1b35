/** Whatever order Stripe's messages come in, and however often, and whichever get lost: in the end it is as Stripe says. */

import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEventApplier } from '../../src/apply-event.js';
import type { Billing } from '../../src/domain/billing.js';
import type { Customer } from '../../src/domain/customer.js';
import type { Store } from '../../src/domain/store.js';
import { openStore } from '../../src/sqlite/store.js';
import { createBilling } from '../../src/stripe/billing.js';
import { createWebhookReader } from '../../src/stripe/webhook-signature.js';
import { catchUp } from '../../src/webhooks/catch-up.js';
import { createInbox } from '../../src/webhooks/inbox.js';
import { createMeteredPrice, openTestEmulator } from '../emulator/open-test-emulator.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, type FakeHost } from '../support/host.js';

const running = new AbortController().signal;
const secret = 'whsec_history';
const hour = 3_600_000;

/** What may happen to a customer at Stripe, whose name counts the happenings. What Stripe refuses does not happen. */
const happenings = [
  'subscribe',
  'cancel',
  'cancel at the end',
  'go on',
  'pause',
  'resume',
  'rename',
  'bill by another meter',
  'delete',
] as const;
type Happening = (typeof happenings)[number];

/**
 * One step of a history: something happens, one of two daemons gets messages, or a clock jumps; afterwards some of Stripe's
 * answers arrive.
 */
type Step = { answers: number } & (
  | { kind: 'happens'; what: Happening }
  | { kind: 'delivers'; daemon: 0 | 1; picks: number[] }
  | { kind: 'jumps'; ms: number }
);

const answers = fc.nat(3);

const happens: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('happens'),
  what: fc.constantFrom(...happenings),
  answers,
});

const delivers: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('delivers'),
  daemon: fc.constantFrom(0, 1),
  picks: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
  answers,
});

const jumps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('jumps'),
  ms: fc.integer({ min: -hour, max: hour }),
  answers,
});

const history = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: happens },
    { weight: 4, arbitrary: delivers },
    { weight: 1, arbitrary: jumps },
  ),
  { minLength: 4, maxLength: 20 },
);

async function openWorld() {
  const { stripe, emulator, host: stripeHost } = await openTestEmulator();
  const { meter, price } = await createMeteredPrice(stripe);
  const otherMeter = await stripe.billing.meters.create({
    ...{ display_name: 'Other', event_name: 'other' },
    default_aggregation: { formula: 'sum' },
  });
  const other = await stripe.prices.create({
    ...{ currency: 'usd', product: price.product as string, unit_amount: 7 },
    recurring: { interval: 'month', usage_type: 'metered', meter: otherMeter.id },
  });
  const host = createFakeHost();
  const access = { secretKey: 'sk_test_x', apiBase: emulator.url, meterId: meter.id };
  const path = join(createTestFolder(), 'meterctl.db');
  const stores = [await openStore({ path, host }), await openStore({ path, host })] as const;
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const billing = createBilling(access, host.clock);
  return { stripe, stripeHost, host, price, other, billing, stores };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** Two daemons on one database, whose looks at Stripe are answered in any order that `scheduler` thinks of. */
function createDaemons({ host, billing, stores: opened }: World, scheduler: fc.Scheduler) {
  const late = createLateAnswers(billing, scheduler);
  const stored: Customer[] = [];
  const stores = opened.map((store) => noting(store, stored));
  const inboxes = stores.map((store) =>
    createInbox({
      ...{ store, host, read: createWebhookReader([secret], host.clock) },
      apply: createEventApplier({ store, billing: late.billing, host, meter: 'calls' }),
    }),
  );
  return { inboxes, stored, arrive: late.arrive };
}

/** Notes what is stored of customers, each time something is. */
function noting(store: Store, stored: Customer[]): Store {
  return {
    ...store,
    async recordReading(reading) {
      const result = await store.recordReading(reading);
      if (result !== 'stale') stored.push(result);
      return result;
    },
  };
}

/** Stripe reads at once; its answer is on its way for as long as the scheduler likes. */
function createLateAnswers(billing: Billing, scheduler: fc.Scheduler) {
  let asking = 0;
  const late =
    <Args extends unknown[], T>(read: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      asking += 1;
      const answer = await read(...args).finally(() => {
        asking -= 1;
      });
      return scheduler.schedule(Promise.resolve(answer));
    };
  /** Waits until everything that was asked for has been read at Stripe. */
  async function allRead(): Promise<void> {
    for (let turns = 0; turns < 5 || asking > 0; turns += 1) await turn();
  }
  return {
    billing: {
      ...billing,
      findCustomer: late(billing.findCustomer),
      listSubscriptions: late(billing.listSubscriptions),
      findSubscription: late(billing.findSubscription),
    },
    /** Lets so many answers arrive. */
    async arrive(count: number): Promise<void> {
      await allRead();
      for (let left = count; left > 0 && scheduler.count() > 0; left -= 1) {
        await scheduler.waitOne();
        await allRead();
      }
    },
  };
}

async function happen(
  { stripe, price, other }: World,
  customer: string,
  what: Happening,
  version: number,
): Promise<void> {
  const [first] = (await stripe.subscriptions.list({ customer, status: 'all' })).data;
  const id = first?.id ?? 'sub_none';
  const acts: Record<Happening, () => Promise<unknown>> = {
    subscribe: () =>
      stripe.subscriptions.create({
        ...{ customer, items: [{ price: price.id }] },
        ...{ collection_method: 'send_invoice', days_until_due: 30 },
      }),
    cancel: () => stripe.subscriptions.cancel(id),
    'cancel at the end': () => stripe.subscriptions.update(id, { cancel_at_period_end: true }),
    'go on': () => stripe.subscriptions.update(id, { cancel_at_period_end: false }),
    pause: () => stripe.subscriptions.pause(id, {}),
    resume: () => stripe.subscriptions.resume(id, {}),
    rename: async () => undefined,
    'bill by another meter': () =>
      stripe.subscriptions.update(id, { items: [{ id: first?.items.data[0]?.id ?? '', price: other.id }] }),
    delete: () => stripe.customers.del(customer),
  };
  const refused = (error: unknown) => {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
  };
  await acts[what]().catch(refused);
  await stripe.customers.update(customer, { name: String(version) }).catch(refused);
}

/** The messages of this history so far, as Stripe would send them. */
async function messagesOf({ stripe, stripeHost }: World): Promise<string[]> {
  const created = Math.floor(stripeHost.clock.nowMs() / 1000);
  const { data } = await stripe.events.list({ limit: 100, created });
  return data.reverse().map((event) => JSON.stringify(event));
}

function sign(body: string, host: FakeHost): string {
  const seconds = Math.floor(host.clock.nowMs() / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** What must be the same on both sides. */
async function presentState(world: World, customer: string) {
  const told = await world.billing.findCustomer(customer);
  return { told, ours: told?.deleted ? [] : await world.billing.listSubscriptions(customer) };
}

async function checkState(world: World, store: Store, customer: string): Promise<void> {
  const stored = await store.findCustomer(customer);
  const { told, ours } = await presentState(world, customer);
  if (!stored) return expect(ours).toEqual([]);
  expect(stored.deletedAtMs !== null).toBe(told?.deleted);
  if (!told?.deleted) expect(stored).toMatchObject({ email: told?.email, name: told?.name });
  const facts = (subscription: (typeof ours)[number]) => {
    const { readAtMs: _, pastDueSinceMs: __, ...rest } = subscription;
    return rest;
  };
  const known = new Map(stored.subscriptions.map((each) => [each.id, facts(each)]));
  for (const each of ours) expect(known.get(each.id)).toEqual(facts(each));
  // What is not ours any more, or went with its customer, has ended here as well.
  const kept = new Set(ours.map(({ id }) => id));
  for (const each of stored.subscriptions) {
    if (!kept.has(each.id)) expect(each).toMatchObject({ status: 'canceled', endedAtMs: expect.any(Number) });
  }
}

/** Plays a history to its end, and catches up. */
async function play(world: World, steps: readonly Step[], scheduler: fc.Scheduler): Promise<void> {
  const { host, stripe, stripeHost, billing, stores } = world;
  // What other histories left behind lies too far back to be read again.
  stripeHost.jump(stripeHost.clock.nowMs() + hour);
  const { inboxes, stored, arrive } = createDaemons(world, scheduler);
  const { id: customer } = await stripe.customers.create({ email: 'ada@example.com' });
  await happen(world, customer, 'subscribe', 0);
  const rounds: Promise<void>[] = [];
  for (const [index, next] of steps.entries()) {
    if (next.kind === 'happens') await happen(world, customer, next.what, index + 1);
    if (next.kind === 'jumps') host.jump(host.clock.nowMs() + next.ms);
    if (next.kind === 'delivers') {
      const messages = await messagesOf(world);
      const inbox = inboxes[next.daemon]!;
      for (const pick of next.picks) {
        const body = messages[pick % messages.length]!;
        expect(['first', 'seen']).toContain(await inbox.receive(Buffer.from(body), sign(body, host)));
      }
      rounds.push(inbox.tick(running));
    }
    await arrive(next.answers);
  }
  await catchUp({ store: stores[0], billing, host });
  // A clock that was ahead may have put messages off.
  host.jump(host.clock.nowMs() + 100 * hour);
  rounds.push(...inboxes.map((inbox) => inbox.tick(running)));
  await scheduler.waitFor(Promise.all(rounds));
  await checkState(world, stores[0], customer);
  const versions = stored.filter(({ id }) => id === customer).map(({ name }) => Number(name));
  expect(versions, 'nothing older was ever written over something newer').toEqual(
    [...versions].sort((a, b) => a - b),
  );
  for (const state of ['received', 'failed'] as const)
    expect((await stores[0].listWebhooks({ state }, { limit: 5 })).data).toEqual([]);
}

describe('any history of messages', () => {
  it('ends in the present state of Stripe, in any order, with repetitions, losses and late answers', async () => {
    const world = await openWorld();
    const property = fc.asyncProperty(history, fc.scheduler(), (steps, scheduler) =>
      play(world, steps, scheduler),
    );
    await fc.assert(property, { numRuns: 40 });
  }, 120_000);
});
