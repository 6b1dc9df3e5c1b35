/** Sends one meter event and sorts Stripe's answers (stripe-facts 3a, 9). */

import Stripe from 'stripe';
import type {
  CancellationAnswer,
  MeterEvent,
  MeterEventAnswer,
  MeterEventBilling,
} from '../domain/billing.js';
import { withoutStripeSecrets } from '../domain/stripe-secrets.js';
import { keyRefusal, retryAfterMs } from './errors.js';

/** Errors of a connection that never came about: the request cannot have reached Stripe. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Sending with this client. */
export function createMeterEvents(stripe: Stripe): MeterEventBilling {
  return {
    async sendMeterEvent(event) {
      try {
        const answer = await stripe.billing.meterEvents.create(
          {
            event_name: event.meter,
            identifier: event.identifier,
            timestamp: Math.floor(event.timestampMs / 1000),
            payload: { stripe_customer_id: event.customerId, value: String(event.units) },
          },
          { idempotencyKey: event.idempotencyKey },
        );
        return answer.identifier === event.identifier
          ? { kind: 'accepted' }
          : unknown('Stripe answered 200, but not with this event.', true);
      } catch (error) {
        return isDuplicate(error, event) ? { kind: 'duplicate' } : classify(error);
      }
    },

    async cancelMeterEvent({ meter, identifier, idempotencyKey }) {
      try {
        const answer = await stripe.billing.meterEventAdjustments.create(
          { event_name: meter, type: 'cancel', cancel: { identifier } },
          { idempotencyKey },
        );
        return answer.cancel?.identifier === identifier
          ? { kind: 'accepted' }
          : unknown('Stripe answered 200, but not with this cancellation.', true);
      } catch (error) {
        return cancellationAnswer(error) ?? classify(error);
      }
    },
  };
}

/** What only a cancellation is told; like the duplicate of an event it has no code, only a sentence (stripe-facts 3b). */
function cancellationAnswer(error: unknown): CancellationAnswer | undefined {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return undefined;
  if (/already been cancell?ed/i.test(error.message)) return { kind: 'duplicate' };
  if (/within 24 hours/i.test(error.message))
    return { kind: 'too_late', reason: withoutStripeSecrets(error.message) };
  return undefined;
}

/** Sorts what any request to do with meter events may end in. */
function classify(error: unknown): MeterEventAnswer {
  if (!(error instanceof Stripe.errors.StripeError)) {
    return unknown(error instanceof Error ? error.message : String(error), true);
  }
  const message = withoutStripeSecrets(error.message);
  if (
    error instanceof Stripe.errors.StripeAuthenticationError ||
    error instanceof Stripe.errors.StripePermissionError
  ) {
    return { kind: 'stopped', reason: keyRefusal(error) };
  }
  if (error instanceof Stripe.errors.StripeRateLimitError) {
    const limit = error.headers?.['stripe-rate-limited-reason'] ?? error.code ?? 'rate limit';
    return {
      kind: 'retry',
      reason: `Stripe answered 429 (${limit}).`,
      processed: 'no',
      nextKey: false,
      retryAfterMs: retryAfterMs(error),
    };
  }
  if (error instanceof Stripe.errors.StripeConnectionError) {
    const code = connectionErrorCode(error);
    const processed = neverSent.has(code ?? '') ? 'no' : 'unknown';
    return {
      kind: 'retry',
      reason: `No answer from Stripe: ${message}`,
      processed,
      nextKey: false,
      retryAfterMs: null,
    };
  }
  if (error instanceof Stripe.errors.StripeInvalidRequestError) {
    return { kind: 'refused', reason: error.code ? `${error.code}: ${message}` : message };
  }
  // 409: the same key is being worked on. Everything else was an answer that Stripe would replay under this key.
  const nextKey = error.statusCode !== 409;
  const status = error.statusCode ?? 'something that is no answer of its API';
  return { ...unknown(`Stripe answered ${status}: ${message}`, nextKey), retryAfterMs: retryAfterMs(error) };
}

function unknown(reason: string, nextKey: boolean): Extract<MeterEventAnswer, { kind: 'retry' }> {
  return { kind: 'retry', reason, processed: 'unknown', nextKey, retryAfterMs: null };
}

/**
 * v1 gives the duplicate no code, only a sentence that names the identifier; v2 has a code for it (stripe-facts 3a). The
 * sentence is no part of the API, so its words count for little: nothing but a duplicate has our identifier already there.
 */
function isDuplicate(error: unknown, event: MeterEvent): boolean {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return false;
  if (error.code === 'duplicate_meter_event') return true;
  return /already|duplicate/i.test(error.message) && error.message.includes(event.identifier);
}

function connectionErrorCode(error: InstanceType<typeof Stripe.errors.StripeError>): string | undefined {
  const { detail } = error;
  return detail instanceof Error && 'code' in detail && typeof detail.code === 'string'
    ? detail.code
    : undefined;
}
