/** Sends a batch of claimed deliveries at the permitted rate, and writes down what came of it. */

import type { ClaimedDelivery, DeliveryOutcome, Settlement } from '../domain/delivery.js';
import type { DeliveryStore } from '../domain/store.js';
import type { TokenBucket } from '../lib/token-bucket.js';
import type { Pace } from './pace.js';
import { type SendAnswer, type SendDeps, sendDelivery } from './send.js';

/** A batch on its way: every send has been started. */
export interface SentBatch {
  settlements: Promise<Settlement | undefined>[];
  /** What Stripe has answered so far. */
  answers: SendAnswer[];
}

/** Sends batches. */
export interface BatchSender {
  /** Starts all sends of a batch, each with its token, and does not wait for their answers. */
  launch(batch: readonly ClaimedDelivery[], signal: AbortSignal): Promise<SentBatch>;
  /** Waits for the answers and settles the batch in one commit. */
  settle(sent: SentBatch): Promise<void>;
}

/** Makes a sender. */
export function createBatchSender(
  deps: SendDeps & { store: DeliveryStore; pace: Pace; bucket: TokenBucket },
): BatchSender {
  const { store, host, pace, bucket } = deps;

  async function send(
    delivery: ClaimedDelivery,
    signal: AbortSignal,
    answers: SendAnswer[],
  ): Promise<Settlement> {
    const { id, identifierNumber, claimId } = delivery;
    const lease = { id, identifierNumber, claimId };
    if (signal.aborted || pace.state().stopped !== null) {
      return { ...lease, outcome: givenBack(host.clock.nowMs()) };
    }
    const { outcome, answer } = await sendDelivery(deps, delivery);
    if (answer) answers.push(answer);
    if (answer?.kind === 'stopped') pace.stop(answer.reason);
    return { ...lease, outcome };
  }

  /** What fails by a defect is left to its lease: its outcome is unknown then, and its neighbours are settled all the same. */
  async function sendOrLeave(
    delivery: ClaimedDelivery,
    signal: AbortSignal,
    answers: SendAnswer[],
  ): Promise<Settlement | undefined> {
    try {
      return await send(delivery, signal, answers);
    } catch (error) {
      host.log.error('a delivery could not be sent; it is tried again', { delivery: delivery.id, error });
      return undefined;
    }
  }

  return {
    async launch(batch, signal) {
      const sent: SentBatch = { settlements: [], answers: [] };
      for (const delivery of batch) {
        await bucket.take(signal);
        sent.settlements.push(sendOrLeave(delivery, signal, sent.answers));
      }
      return sent;
    },
    async settle({ settlements, answers }) {
      const settled = (await Promise.all(settlements)).filter((settlement) => settlement !== undefined);
      try {
        await store.settleDeliveries(settled, host.clock.nowMs());
        pace.learn(answers);
      } catch (error) {
        // Their leases run out, and the same identifiers are sent again: Stripe answers that it has them.
        pace.rest();
        host.log.error('what Stripe answered could not be written down', { error });
      }
    },
  };
}

/** Unsent: the next courier may take it at once. */
function givenBack(atMs: number): DeliveryOutcome {
  return { kind: 'retry', reason: 'Not sent yet.', atMs, processed: 'no', nextKey: false };
}
