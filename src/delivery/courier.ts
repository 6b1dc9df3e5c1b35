/** The courier: takes frozen deliveries from the outbox to Stripe, each exactly once. */

import type { ClaimedDelivery, Settlement } from '../domain/delivery.js';
import { MeterctlError } from '../domain/error.js';
import type { DeliveryStore } from '../domain/store.js';
import { createLoop } from '../lib/loop.js';
import { createTokenBucket } from '../lib/token-bucket.js';
import { backoffMs } from './backoff.js';
import { type SendAnswer, type SendDeps, sendDelivery } from './send.js';

/** How often the outbox is looked at. */
const intervalMs = 250;

/** Longer than a second's wait for a token and the longest send together: a lease only runs out when its holder died. */
const leaseMs = 30_000;

/** How long after a refused key it is tried again: somebody may have granted the permission meanwhile. */
const stoppedPauseMs = 30_000;

/** Batches that may wait for Stripe's answers while the next one is being sent. */
const batchesInFlightMax = 4;

/** What the courier says of itself. */
export interface CourierState {
  /** Why nothing is sent, when Stripe refuses the key; `null` otherwise. */
  stopped: string | null;
  /** The last trouble with Stripe since something was last accepted. */
  trouble: string | null;
}

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
  const bucket = createTokenBucket(host.clock, deps.ratePerSecond);
  // A second's worth: enough to keep the pace, and no delivery waits long under its lease.
  const claimMax = Math.max(1, Math.floor(deps.ratePerSecond));
  let stopped: string | null = null;
  let trouble: string | null = null;
  let verified = false;
  let pausedUntilMs = 0;
  let failedRounds = 0;

  async function isVerified(): Promise<boolean> {
    if (verified) return true;
    try {
      await deps.verify();
      verified = true;
    } catch (error) {
      if (!(error instanceof MeterctlError)) throw error;
      if (error.code === 'unavailable') noteTrouble(error.message);
      else noteStop(error.message);
    }
    return verified;
  }

  /** Stripe is out of reach: the whole courier pauses, longer each time. */
  function noteTrouble(reason: string): void {
    failedRounds += 1;
    trouble = reason;
    pausedUntilMs = host.clock.nowMs() + backoffMs(failedRounds, null, host.random.next());
    host.log.warn('usage could not be sent; it is kept and tried again', { reason, failedRounds });
  }

  /** Somebody must mend the key or the configuration; it is tried again now and then, because that needs no restart. */
  function noteStop(reason: string): void {
    stopped = reason;
    pausedUntilMs = host.clock.nowMs() + stoppedPauseMs;
    host.log.error('no usage is sent until this is mended; it is kept', { reason });
  }

  /** Starts the sends of one batch at the permitted rate, without waiting for their answers. */
  async function launch(batch: ClaimedDelivery[], signal: AbortSignal, answers: SendAnswer[]) {
    const sends: Promise<Settlement>[] = [];
    for (const delivery of batch) {
      await bucket.take(signal);
      sends.push(send(delivery, signal, answers));
    }
    return sends;
  }

  /** Waits for the answers of one batch and settles them in one commit. */
  async function settle(sends: Promise<Settlement>[], answers: SendAnswer[]): Promise<void> {
    const settlements = await Promise.all(sends);
    try {
      await store.settleDeliveries(settlements, host.clock.nowMs());
      pace(answers);
    } catch (error) {
      // Their leases run out, and the same identifiers are sent again: Stripe answers that it has them.
      pausedUntilMs = host.clock.nowMs() + stoppedPauseMs;
      host.log.error('what Stripe answered could not be written down', { error });
    }
  }

  async function send(
    delivery: ClaimedDelivery,
    signal: AbortSignal,
    answers: SendAnswer[],
  ): Promise<Settlement> {
    const nowMs = host.clock.nowMs();
    const { id, identifierNumber, claimId } = delivery;
    const lease = { id, identifierNumber, claimId };
    if (signal.aborted || stopped !== null) {
      // Given back unsent: the next courier may take it at once.
      return {
        ...lease,
        outcome: { kind: 'retry', reason: 'Not sent yet.', atMs: nowMs, processed: 'no', nextKey: false },
      };
    }
    const { outcome, answer } = await sendDelivery(deps, delivery);
    if (answer) answers.push(answer);
    if (answer?.kind === 'stopped') stopped = answer.reason;
    return { ...lease, outcome };
  }

  function pace(answers: SendAnswer[]): void {
    const refusal = answers.find((answer) => answer.kind === 'stopped');
    const troubles = answers.filter((answer) => answer.kind === 'retry');
    if (refusal) {
      noteStop(refusal.reason);
    } else if (troubles[0] && troubles.length === answers.length) {
      noteTrouble(troubles[0].reason);
    } else if (answers.length > 0) {
      failedRounds = 0;
      trouble = null;
    }
  }

  async function sendDue(signal: AbortSignal): Promise<void> {
    if (host.clock.nowMs() < pausedUntilMs || !(await isVerified())) return;
    stopped = null;
    const running = new Set<Promise<void>>();
    while (!signal.aborted && stopped === null && host.clock.nowMs() >= pausedUntilMs) {
      // After trouble one delivery goes ahead alone, to see whether Stripe is back.
      const limit = failedRounds > 0 ? 1 : claimMax;
      const batch = await store.claimDeliveries({ nowMs: host.clock.nowMs(), leaseMs, limit });
      if (batch.length === 0 && running.size === 0) break;
      if (batch.length > 0) {
        const answers: SendAnswer[] = [];
        const settled = settle(await launch(batch, signal, answers), answers).finally(() =>
          running.delete(settled),
        );
        running.add(settled);
      }
      // An empty claim may only mean that these customers have one in flight already.
      if (batch.length === 0 || failedRounds > 0 || running.size >= batchesInFlightMax)
        await Promise.race(running);
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
    state: () => ({ stopped, trouble }),
    close: () => loop.close(),
  };
}
