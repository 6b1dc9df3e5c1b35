/** Reads what Stripe has counted and billed, at a pace that Stripe permits, and again after trouble. */

import type { InvoiceBilling, MeterSum, MeterSumBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { Period } from '../domain/subscription.js';
import type { Host } from '../lib/host.js';
import { createTokenBucket } from '../lib/token-bucket.js';
import { backoffMs } from './backoff.js';

/** Trouble of a minute is waited out; then whoever asked should know. */
const attemptsMax = 7;

/** Rows of one page of sums: each page is a call. */
const pageRows = 100;

const hourMs = 3_600_000;

/** What is read. */
type Readings = MeterSumBilling & Pick<InvoiceBilling, 'listBilledSpans'>;

/** A patient reader. Throws as `Billing` does, `unavailable` only after several attempts. */
export interface MeterReader extends Pick<InvoiceBilling, 'listBilledSpans'> {
  /** The span's ends lie on whole minutes. */
  sum(customerId: string, span: Period): Promise<number>;
  /** The span's ends lie on whole hours; hours in which nothing was counted are left out. */
  listHours(customerId: string, span: Period): Promise<MeterSum[]>;
}

/** Makes a reader of so many calls a second at most. Once `signal` aborts, it waits for nothing any more. */
export function createMeterReader(
  deps: { billing: Readings; host: Host; readsPerSecond: number },
  signal: AbortSignal,
): MeterReader {
  const { billing, host } = deps;
  const bucket = createTokenBucket(host.clock, deps.readsPerSecond);

  async function ask<T>(calls: number, question: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      for (let taken = 0; taken < calls; taken += 1) await bucket.take(signal);
      try {
        return await question();
      } catch (error) {
        const passing = error instanceof MeterctlError && error.code === 'unavailable';
        if (!passing || attempts >= attemptsMax || signal.aborted) throw error;
        await host.clock.sleep(backoffMs(attempts, null, host.random.next()), signal);
      }
    }
  }

  return {
    sum: (customerId, { startMs, endMs }) => ask(1, () => billing.sumMeterEvents(customerId, startMs, endMs)),
    listHours: (customerId, { startMs, endMs }) =>
      ask(Math.ceil((endMs - startMs) / hourMs / pageRows), () =>
        billing.listMeterSums(customerId, startMs, endMs),
      ),
    listBilledSpans: (subscriptionId, sinceMs) =>
      ask(1, () => billing.listBilledSpans(subscriptionId, sinceMs)),
  };
}
