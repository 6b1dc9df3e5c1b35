/** The courier: takes frozen deliveries from the outbox to Stripe, each exactly once. */

import type { DeliveryStore } from '../domain/store.js';
import { createLoop } from '../lib/loop.js';
import { createTokenBucket } from '../lib/token-bucket.js';
import { createBatchSender } from './batch-sender.js';
import { type CourierState, createPace, type Pace } from './pace.js';
import type { SendDeps } from './send.js';

/** How often the outbox is looked at; also whenever something was settled. */
const intervalMs = 250;

/** Long enough for a second's wait for a token, a quick check and a send that hangs; `sendDelivery` sees to it. */
const leaseMs = 30_000;

/** So many seconds' worth of deliveries may wait for Stripe's answers: one that hangs holds up no other. */
const inFlightMaxSeconds = 2;

/** Sends deliveries in the background. */
export interface Courier {
  start(): void;
  /** Looks at the outbox now. */
  wake(): void;
  /** Freezes what is over and sends what is due, until nothing more is due or under way. What tests call. */
  tick(signal: AbortSignal): Promise<void>;
  /** Freezes everything, also windows that still run, and sends what can be sent. */
  flush(signal: AbortSignal): Promise<void>;
  state(): CourierState;
  close(): Promise<void>;
}

/** Makes a courier. Nothing is sent before `verify` has succeeded once: usage must not reach another account. */
export function createCourier(
  deps: SendDeps & { store: DeliveryStore; ratePerSecond: number; verify(): Promise<void> },
): Courier {
  const { store, host } = deps;
  const pace = createPace(host);
  const bucket = createTokenBucket(host.clock, deps.ratePerSecond);
  const sender = createBatchSender({ ...deps, pace, bucket, onSettled: () => loop.wake() });
  // A second's worth: enough to keep the rate, and no delivery waits long under its lease.
  const claimMax = Math.max(1, Math.floor(deps.ratePerSecond));
  const batches = new Set<Promise<void>>();
  const isVerified = createVerification(deps.verify, pace);

  /** How many more may be sent now. */
  function room(): number {
    const probes = pace.probes();
    if (probes !== null) return batches.size > 0 ? 0 : probes;
    return Math.min(claimMax, claimMax * inFlightMaxSeconds - sender.inFlight());
  }

  /** Starts to send what is due, and does not wait for the answers. */
  async function round(signal: AbortSignal): Promise<void> {
    await store.freezeDeliveries(host.clock.nowMs());
    pace.begin();
    if (!pace.mayGo() || !(await isVerified())) return;
    while (!signal.aborted && pace.mayGo() && room() > 0) {
      const claim = { nowMs: host.clock.nowMs(), leaseMs, limit: room() };
      const claimed = await store.claimDeliveries(claim);
      // It may only mean that these customers have one in flight already: settling that begins the next round.
      if (claimed.length === 0) return;
      const batch = sender.send(claimed, signal);
      const ended = batch.settled.finally(() => batches.delete(ended));
      batches.add(ended);
      await batch.launched;
    }
  }

  async function tick(signal: AbortSignal): Promise<void> {
    do {
      await Promise.race(batches.size > 0 ? batches : [undefined]);
      await round(signal);
    } while (batches.size > 0);
  }

  const loop = createLoop({ name: 'courier', clock: host.clock, log: host.log, intervalMs, tick: round });
  return {
    start: () => loop.start(),
    wake: () => loop.wake(),
    tick,
    async flush(signal) {
      await store.freezeDeliveries(host.clock.nowMs(), {});
      await tick(signal);
    },
    state: () => pace.state(),
    async close() {
      await loop.close();
      await Promise.all(batches);
    },
  };
}

/** Asks until it has succeeded once. */
function createVerification(verify: () => Promise<void>, pace: Pace): () => Promise<boolean> {
  let verified = false;
  return async () => {
    if (!verified)
      await verify().then(() => {
        verified = true;
      }, pace.learnError);
    return verified;
  };
}
