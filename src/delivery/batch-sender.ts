/** Sends a batch of claimed deliveries at the permitted rate, and writes down what came of it. */

import type { ClaimedDelivery, Settlement } from '../domain/delivery.js';
import type { DeliveryStore } from '../domain/store.js';
import type { TokenBucket } from '../lib/token-bucket.js';
import type { Pace } from './pace.js';
import { givenBack, type SendAnswer, type SendDeps, sendDelivery } from './send.js';

/** What was answered is written down after this time at the latest, whatever its neighbours wait for: leases are short. */
const settleMs = 500;

/** A batch on its way. Neither promise rejects. */
export interface SentBatch {
  /** Every send has been started. */
  launched: Promise<void>;
  /** Every answer has been written down. */
  settled: Promise<void>;
}

/** Sends batches. */
export interface BatchSender {
  /** Sends each delivery of a batch with a token of its own. */
  send(batch: readonly ClaimedDelivery[], signal: AbortSignal): SentBatch;
  /** How many deliveries wait for their answers. */
  inFlight(): number;
}

/** What it needs. */
interface SenderDeps extends SendDeps {
  store: DeliveryStore;
  pace: Pace;
  bucket: TokenBucket;
  /** Called when something was written down. */
  onSettled(): void;
}

/** Makes a sender. */
export function createBatchSender(deps: SenderDeps): BatchSender {
  const { host, pace, bucket } = deps;
  const settle = createSettling(deps);
  let inFlight = 0;

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
  ): Promise<Settlement[]> {
    try {
      return [await send(delivery, signal, answers)];
    } catch (error) {
      host.log.error('a delivery could not be sent; it is tried again', { delivery: delivery.id, error });
      return [];
    } finally {
      inFlight -= 1;
    }
  }

  return {
    send(batch, signal) {
      const [answered, answers]: [Settlement[], SendAnswer[]] = [[], []];
      const sends: Promise<unknown>[] = [];
      inFlight += batch.length;
      const launch = async () => {
        for (const delivery of batch) {
          await bucket.take(signal);
          const sent = sendOrLeave(delivery, signal, answers);
          sends.push(sent.then((settlements) => answered.push(...settlements)));
        }
      };
      const launched = launch();
      const all = launched.then(() => Promise.all(sends));
      return { launched, settled: settle(all, answered, answers) };
    },
    inFlight: () => inFlight,
  };
}

type Settle = (all: Promise<unknown>, answered: Settlement[], answers: SendAnswer[]) => Promise<void>;

/** Writes outcomes down as they come, in few commits, until all are there; then the pace learns from the answers. */
function createSettling({ store, host, pace, onSettled }: SenderDeps): Settle {
  /** One commit for all that was answered. */
  async function write(settlements: Settlement[]): Promise<boolean> {
    try {
      await store.settleDeliveries(settlements, host.clock.nowMs());
      return true;
    } catch (error) {
      // Their leases run out, and the same identifiers are sent again: Stripe answers that it has them.
      pace.rest();
      host.log.error('what Stripe answered could not be written down', { error });
      return false;
    } finally {
      onSettled();
    }
  }

  return async (all, answered, answers) => {
    let written = true;
    for (let ended = false; !ended; ) {
      const pause = new AbortController();
      const waited = host.clock.sleep(settleMs, pause.signal).then(() => false);
      ended = await Promise.race([all.then(() => true), waited]);
      pause.abort();
      if (answered.length > 0) written = (await write(answered.splice(0))) && written;
    }
    if (written) pace.learn(answers);
  };
}
