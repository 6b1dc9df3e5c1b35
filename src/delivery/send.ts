/** Sends one claimed delivery and says what is to become of it. */

import {
  answerMaxMs,
  type CancellationAnswer,
  type MeterEventAnswer,
  type MeterEventBilling,
} from '../domain/billing.js';
import {
  type ClaimedDelivery,
  type DeliveryOutcome,
  idempotencyKeyOf,
  identifierOf,
} from '../domain/delivery.js';
import { MeterctlError } from '../domain/error.js';
import type { Host } from '../lib/host.js';
import { backoffMs } from './backoff.js';
import type { PeriodCheck, PeriodFinding } from './period-check.js';

/** Stripe remembers identifiers for at least 24 h; an hour is kept as a margin for clocks and for this send itself. */
const unknownMaxMs = 23 * 3_600_000;

/** A send that seems to lie further ahead than this was stamped by a clock that was ahead: how old it is cannot be known. */
const aheadMaxMs = 10 * 60_000;

/** Stripe refuses older timestamps (stripe-facts 3a). */
export const ageMaxMs = 35 * 86_400_000;

/** How soon it is looked again whether Stripe has made an invoice. */
const waitMs = 60_000;

/** What a delivery comes to without asking Stripe; `undefined` when it may be sent. */
function outcomeBeforeSending(delivery: ClaimedDelivery, nowMs: number): DeliveryOutcome | undefined {
  const unknownForMs = delivery.unknownSinceMs === null ? 0 : nowMs - delivery.unknownSinceMs;
  if (unknownForMs > unknownMaxMs || unknownForMs < -aheadMaxMs) {
    return {
      kind: 'uncertain',
      reason:
        unknownForMs > 0
          ? 'Whether Stripe has it has been unknown for 23 hours, or for longer than a clock that was set back can tell. It must be compared with Stripe before it is sent again.'
          : 'Whether Stripe has it is unknown, and for how long too: the clock was set back. It must be compared with Stripe.',
    };
  }
  if (nowMs - delivery.timestampMs > ageMaxMs) {
    // An earlier attempt may have arrived in time: put on an invoice by hand as well, it would be billed twice.
    return delivery.unknownBeforeMs === null
      ? {
          kind: 'refused',
          reason:
            'Older than the 35 days that Stripe bills usage back; put it on an invoice by hand or write it off.',
        }
      : {
          kind: 'uncertain',
          reason:
            'Older than the 35 days that Stripe bills usage back, but an earlier attempt may have arrived. It must be compared with Stripe.',
        };
  }
  return undefined;
}

/** What sending needs. */
export interface SendDeps {
  billing: MeterEventBilling;
  host: Host;
  periodCheck: PeriodCheck;
}

/** What Stripe answered, to an event or to a cancellation. */
export type SendAnswer = MeterEventAnswer | CancellationAnswer;

/** Sends once, if Stripe can still bill it. `answer` is what Stripe said, for the courier's own pace. */
export async function sendDelivery(
  deps: SendDeps,
  delivery: ClaimedDelivery,
): Promise<{ outcome: DeliveryOutcome; answer?: SendAnswer }> {
  const early = outcomeBeforeSending(delivery, deps.host.clock.nowMs());
  if (early) return { outcome: early };
  const found = await askPeriod(deps, delivery);
  if (found.kind === 'retry') return { outcome: outcomeOf(found, delivery, deps.host), answer: found };
  if (found.kind === 'waiting') return { outcome: waiting(found.reason, deps.host) };
  // An earlier attempt may have arrived in time, so a closed period says nothing about it.
  if (found.kind === 'closed')
    return {
      outcome: {
        kind: delivery.unknownBeforeMs === null ? 'refused' : 'uncertain',
        reason: found.reason,
      },
    };
  // Asking may have taken long: a machine may have slept over it.
  const nowMs = deps.host.clock.nowMs();
  const late = outcomeBeforeSending(delivery, nowMs);
  if (late) return { outcome: late };
  // Another courier may take over when the lease runs out, and must not find this one still sending.
  if (nowMs + answerMaxMs > delivery.leaseUntilMs) return { outcome: givenBack(nowMs) };
  const answer = await send(deps.billing, delivery);
  return { outcome: outcomeOf(answer, delivery, deps.host), answer };
}

/** Unsent: whoever comes next may take it at once. */
export function givenBack(atMs: number): DeliveryOutcome {
  return { kind: 'retry', reason: 'Not sent yet.', atMs, processed: 'no', nextKey: false };
}

function send(billing: MeterEventBilling, delivery: ClaimedDelivery): Promise<SendAnswer> {
  const { meter, customerId, units, timestampMs, cancels } = delivery;
  const idempotencyKey = idempotencyKeyOf(delivery);
  if (cancels !== null) return billing.cancelMeterEvent({ meter, identifier: cancels, idempotencyKey });
  const identifier = identifierOf(delivery);
  return billing.sendMeterEvent({ meter, identifier, idempotencyKey, customerId, units, timestampMs });
}

/** Asks about the period. Stripe not answering that is an answer to the delivery, too: try again later. */
async function askPeriod(
  deps: SendDeps,
  delivery: ClaimedDelivery,
): Promise<PeriodFinding | Extract<SendAnswer, { kind: 'retry' }>> {
  try {
    return await deps.periodCheck(delivery);
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
    return { kind: 'retry', reason: error.message, processed: 'no', nextKey: false, retryAfterMs: null };
  }
}

/** Unsent, and no trouble of Stripe's. */
function waiting(reason: string, { clock }: Host): DeliveryOutcome {
  return { kind: 'retry', reason, atMs: clock.nowMs() + waitMs, processed: 'no', nextKey: false };
}

function outcomeOf(answer: SendAnswer, delivery: ClaimedDelivery, host: Host): DeliveryOutcome {
  switch (answer.kind) {
    case 'accepted':
    case 'duplicate':
      return { kind: 'delivered' };
    case 'refused':
      return { kind: 'refused', reason: answer.reason };
    case 'too_late':
      // An earlier attempt may have cancelled it: taking the units back once more would be twice.
      return {
        kind: delivery.unknownBeforeMs === null ? 'uncancellable' : 'uncertain',
        reason: answer.reason,
      };
    case 'stopped':
      return {
        kind: 'retry',
        reason: answer.reason,
        atMs: host.clock.nowMs(),
        processed: 'no',
        nextKey: false,
      };
    case 'retry': {
      const waitMs = backoffMs(delivery.attempts, answer.retryAfterMs, host.random.next());
      const { reason, processed, nextKey } = answer;
      return { kind: 'retry', reason, atMs: host.clock.nowMs() + waitMs, processed, nextKey };
    }
  }
}
