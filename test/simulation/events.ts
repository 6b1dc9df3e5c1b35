/** What may happen next, and how likely it is in this seed. */

import { catchUp } from '../../src/webhooks/catch-up.js';
import { periodEndMs } from './clients.js';
import type { Daemon } from './daemon.js';
import type { Dice } from './dice.js';
import { drawFaults } from './faults.js';
import type { Subscriber } from './template.js';
import type { World } from './world.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

type Event = (world: World) => void | Promise<void>;

/** Everything that may happen beside parked calls moving on, with how likely it is where it happens at all. */
const events: Record<string, { weight: number; always?: true; happen: Event }> = {
  calls: { weight: 20, always: true, happen: (world) => withDaemon(world, callSome) },
  records: {
    weight: 6,
    happen: (world) =>
      withDaemon(world, (daemon) => engage(world, daemon, 'record', () => world.clients.record(daemon))),
  },
  voids: {
    weight: 3,
    happen: (world) =>
      withDaemon(world, (daemon) => world.engage(daemon, 'void', () => world.clients.takeBack(daemon))),
  },
  retries: {
    weight: 2,
    happen: (world) =>
      withDaemon(world, (daemon) => world.engage(daemon, 'retry', () => retrySome(daemon, world.dice))),
  },
  catchUp: {
    weight: 1,
    happen: (world) =>
      withDaemon(world, (daemon) => world.engage(daemon, 'catch-up', () => catchUpWith(daemon))),
  },
  courier: {
    weight: 30,
    always: true,
    happen: (world) =>
      withDaemon(world, (daemon) =>
        once(world, daemon, 'courier', () => daemon.courier.tick(daemon.stopping.signal)),
      ),
  },
  inbox: {
    weight: 6,
    always: true,
    happen: (world) =>
      withDaemon(world, (daemon) =>
        once(world, daemon, 'inbox', () => daemon.inbox.tick(daemon.stopping.signal)),
      ),
  },
  mail: { weight: 10, always: true, happen: deliverMail },
  stripe: { weight: 6, always: true, happen: (world) => world.tickStripe() },
  moment: { weight: 20, always: true, happen: (world) => world.pass(world.dice.between(1, 6 * second)) },
  while: { weight: 8, happen: (world) => world.pass(world.dice.between(20 * second, 20 * minute)) },
  hours: { weight: 1, happen: passHours },
  blackout: { weight: 1, happen: passBlackout },
  edge: { weight: 4, happen: passToEdge },
  skew: { weight: 2, happen: setSkew },
  faults: {
    weight: 6,
    always: true,
    happen: (world) => void world.emulator.account.faults.set(drawFaults(world.dice, world.time.trueMs())),
  },
  reads: { weight: 2, happen: (world) => setRate(world, 'read', [0, 0, 0.5, 1]) },
  disk: { weight: 2, happen: (world) => setRate(world, 'disk', [0, 0, 0, 0.3]) },
  crash: { weight: 3, happen: (world) => withDaemon(world, (daemon) => world.crash(daemon)) },
  stop: { weight: 1, happen: (world) => withDaemon(world, (daemon) => world.stop(daemon)) },
  second: { weight: 3, happen: async (world) => void (world.daemons.length === 1 && (await world.start())) },
};

/** How likely each event is in one seed, and how often parked calls move on instead. */
export interface Temper {
  weights: [string, number][];
  moving: number;
}

/** Every seed leaves some events out and exaggerates others, so that together they try more than an average would. */
export function drawTemper(dice: Dice): Temper {
  const weights = Object.entries(events)
    .filter(([, event]) => event.always || dice.chance(0.65))
    .map(([name, { weight }]): [string, number] => [name, weight * dice.pick([0.3, 1, 1, 3])]);
  return { weights, moving: 0.5 + dice.next() * 0.35 };
}

/** One step: a parked call moves on, or something else happens. */
export async function actOnce(world: World, { weights, moving }: Temper): Promise<void> {
  const { dice, scheduler } = world;
  if (dice.chance(moving) && (await scheduler.advance())) return;
  if (world.daemons.length === 0 && dice.chance(0.5)) return world.start();
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  let left = dice.next() * total;
  for (const [name, weight] of weights) {
    left -= weight;
    if (left >= 0) continue;
    await events[name]?.happen(world);
    break;
  }
  await scheduler.turn();
}

function setRate({ rates, dice }: World, place: 'read' | 'disk', choice: number[]): void {
  rates[place] = dice.pick(choice);
}

function withDaemon(
  world: World,
  act: (daemon: Daemon, world: World) => void | Promise<void>,
): void | Promise<void> {
  const willing = willingOf(world);
  if (willing.length > 0) return act(world.dice.pick(willing), world);
}

/** The daemons that still take work. */
function willingOf({ daemons }: World): Daemon[] {
  return daemons.filter((daemon) => !daemon.stopping.signal.aborted);
}

function engage(world: World, daemon: Daemon, name: string, work: () => Promise<void>): void {
  world.engage(daemon, name, work);
}

/** A loop never runs twice at a time in one process. */
function once(world: World, daemon: Daemon, name: string, work: () => Promise<void>): void {
  if ((daemon.busy.get(name) ?? 0) === 0) world.engage(daemon, name, work);
}

function callSome(daemon: Daemon, world: World, subscriber?: Subscriber): void {
  const count = world.dice.pick([1, 1, 2, 5]);
  for (let call = 0; call < count; call += 1)
    world.engage(daemon, 'call', () => world.clients.call(daemon, subscriber));
}

/** As an operator does who has mended what Stripe refused. */
async function retrySome({ store, host }: Daemon, dice: Dice): Promise<void> {
  const { data } = await store.listDeliveries({ state: 'refused' }, { limit: 10 });
  const named = data.filter(() => dice.chance(0.5)).map(({ id }) => id);
  await store.retryDeliveries(named, host.clock.nowMs());
}

async function catchUpWith(daemon: Daemon): Promise<void> {
  await catchUp(daemon);
}

function deliverMail(world: World): void | Promise<void> {
  const { mailbox, dice } = world;
  const count = mailbox.waiting();
  if (count === 0) return;
  if (world.daemons.length === 0) return mailbox.loseAll();
  const index = dice.between(0, count - 1);
  return withDaemon(world, (daemon) => world.engage(daemon, 'mail', () => mailbox.deliver(index, daemon)));
}

/** Mostly a few; sometimes more than Stripe remembers an identifier. */
function passHours({ dice, pass }: World): Promise<void> {
  return pass(dice.chance(0.6) ? dice.between(hour, 5 * hour) : dice.between(20 * hour, 30 * hour));
}

/** Stripe is out of reach for longer than it remembers an identifier. */
function passBlackout({ dice, emulator, time, pass }: World): Promise<void> {
  const ms = dice.between(24 * hour, 30 * hour);
  emulator.account.faults.set({ outageUntilMs: time.trueMs() + ms });
  return pass(ms);
}

/**
 * To the end of somebody's period, who calls shortly before and shortly after. Ends that are days away are gone to less
 * often: much happens on the way.
 */
async function passToEdge(world: World): Promise<void> {
  const { dice, template, time, pass } = world;
  const subscriber = dice.pick(template.subscribers);
  const nowMs = time.trueMs();
  const beforeMs = dice.between(0, 3 * second);
  const awayMs = periodEndMs(subscriber, nowMs) - beforeMs - nowMs;
  if (awayMs < 0 || (awayMs > 26 * hour && dice.chance(0.9))) return;
  await pass(awayMs);
  withDaemon(world, (daemon) => callSome(daemon, world, subscriber));
  await pass(beforeMs + dice.between(0, 2 * second));
  withDaemon(world, (daemon) => callSome(daemon, world, subscriber));
}

/** A wall clock may be far ahead. Behind it is by less than the hour that the courier keeps as its margin. */
function setSkew(world: World): Promise<void> {
  const { dice } = world;
  return setClock(
    world,
    dice.pick([
      0,
      0,
      dice.between(-40 * minute, 0),
      dice.between(-5 * second, 5 * second),
      dice.between(0, 20 * minute),
      dice.between(0, 3 * day),
      dice.between(0, 40 * day),
    ]),
  );
}

/**
 * A clock that is set back is seen before and after by a daemon, which then knows what its stamps are worth. How long a machine
 * slept whose clock was ahead before and right afterwards, no program can tell from that clock.
 */
async function setClock(world: World, skewMs: number): Promise<void> {
  const { time, rates } = world;
  if (time.wallMs() - time.trueMs() > skewMs) {
    const { disk } = rates;
    rates.disk = 0;
    if (willingOf(world).length === 0) await world.start();
    for (const daemon of willingOf(world))
      once(world, daemon, 'courier', () => daemon.courier.tick(daemon.stopping.signal));
    await world.settle();
    rates.disk = disk;
  }
  time.setSkew(skewMs);
}

/** How much time everything may take to arrive once all is well: Stripe's longest pause between two webhooks, and more. */
const drainMs = 3 * hour;

/** Puts everything right and lets it arrive. Returns what is wrong with that. */
export async function drain(world: World): Promise<string[]> {
  const { emulator, time, rates, mailbox, books } = world;
  Object.assign(rates, { read: 0, disk: 0 });
  await setClock(world, 0);
  emulator.account.faults.reset();
  await world.settle();
  const endMs = time.trueMs() + drainMs;
  for (let pauseMs = second; time.trueMs() < endMs; pauseMs = Math.min(pauseMs * 2, 10 * minute)) {
    if (willingOf(world).length === 0) await world.start();
    for (const daemon of willingOf(world).slice(0, 1)) {
      once(world, daemon, 'courier', () => daemon.courier.tick(daemon.stopping.signal));
      once(world, daemon, 'inbox', () => daemon.inbox.tick(daemon.stopping.signal));
    }
    world.tickStripe();
    await world.settle();
    while (mailbox.waiting() > 0) {
      await deliverMail(world);
      await world.settle();
    }
    if (books.areSettled()) return [];
    await world.pass(pauseMs);
    await world.settle();
  }
  return ['after hours without trouble something is still owed'];
}
