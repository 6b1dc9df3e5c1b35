/** The courier: takes frozen deliveries from the outbox to Stripe, each exactly once. */

import type { DeliveryStore } from '../domain/store.js';
import { createLoop } from '../lib/loop.js';
import { createTokenBucket } from '../lib/token-bucket.js';
import { createBatchSender } from './batch-sender.js';
import { type CourierState, createPace } from './pace.js';
import type { SendDeps } from './send.js';

/** How often the outbox is looked at. */
const intervalMs = 250;

/** Longer than a second's wait for a token and the longest send together: a lease only runs out when its holder died. */
const leaseMs = 30_000;

/** Batches that may wait for Stripe's answers while the next one is being sent. */
const batchesInFlightMax = 4;

/** Sends deliveries in the background. */
export interface Courier {
  start(): void;
  /** Looks at the outbox now. */
  wake(): void;
  /** One round: freezes what is over, sends what is due, until nothing more is due. What tests call. */
  tick(signal: AbortSignal): Promise<void>;
  /** Freezes everything, also windows that still run, and sends what can be sent in one round. */
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
  const batches = createBatchSender({
    ...deps,
    pace,
    bucket: createTokenBucket(host.clock, deps.ratePerSecond),
  });
  // A second's worth: enough to keep the rate, and no delivery waits long under its lease.
  const claimMax = Math.max(1, Math.floor(deps.ratePerSecond));
  let verified = false;

  async function isVerified(): Promise<boolean> {
    if (verified) return true;
    await deps.verify().then(() => {
      verified = true;
    }, pace.learnError);
    return verified;
  }

  async function sendDue(signal: AbortSignal): Promise<void> {
    pace.begin();
    if (!pace.mayGo() || !(await isVerified())) return;
    const running = new Set<Promise<void>>();
    while (!signal.aborted && pace.mayGo()) {
      const limit = pace.isProbing() ? 1 : claimMax;
      const batch = await store.claimDeliveries({ nowMs: host.clock.nowMs(), leaseMs, limit });
      if (batch.length === 0 && running.size === 0) break;
      if (batch.length > 0) {
        const sent = await batches.launch(batch, signal);
        const settled = batches.settle(sent).finally(() => running.delete(settled));
        running.add(settled);
      }
      // An empty claim may only mean that these customers have one in flight already.
      const full = pace.isProbing() || running.size >= batchesInFlightMax;
      if (batch.length === 0 || full) await Promise.race(running);
    }
    await Promise.all(running);
  }

  async function tick(signal: AbortSignal): Promise<void> {
    await store.freezeDeliveries(host.clock.nowMs());
    await sendDue(signal);
  }

  const loop = createLoop({ name: 'courier', clock: host.clock, log: host.log, intervalMs, tick });
  return {
    start: () => loop.start(),
    wake: () => loop.wake(),
    tick,
    async flush(signal) {
      await store.freezeDeliveries(host.clock.nowMs(), {});
      await sendDue(signal);
    },
    state: () => pace.state(),
    close: () => loop.close(),
  };
}
