/** Turns what the SDK throws into this program's errors. */

import Stripe from 'stripe';
import { MeterctlError } from '../domain/error.js';
import { withoutStripeSecrets } from '../domain/stripe-secrets.js';

/** The permission that a 403 says is missing, `rak_…` (stripe-facts 10); `undefined` when it names none. */
function missingPermission(error: InstanceType<typeof Stripe.errors.StripeError>): string | undefined {
  return isForbidden(error) ? /rak_\w+/.exec(error.message)?.[0] : undefined;
}

/** What a refused key is told to the operator, with the permission named where Stripe names it. */
export function keyRefusal(error: InstanceType<typeof Stripe.errors.StripeError>): string {
  const permission = missingPermission(error);
  return permission
    ? `The Stripe key lacks the permission ${permission}.`
    : `Stripe refused the key: ${withoutStripeSecrets(error.message)}`;
}

/** How long Stripe asks to wait, in milliseconds; the SDK does not read this header (stripe-facts 9). */
export function retryAfterMs(error: InstanceType<typeof Stripe.errors.StripeError>): number | null {
  const seconds = Number(error.headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : null;
}

/** Whether Stripe says that the thing asked for does not exist. */
export function isMissing(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    (error.code === 'resource_missing' || error.statusCode === 404)
  );
}

/** Whether the key lacks the permission to ask. */
export function isForbidden(error: unknown): boolean {
  // Some of v2's refusals have classes of their own.
  return error instanceof Stripe.errors.StripeError && error.statusCode === 403;
}

/**
 * The error to throw for `error`, which came up while `doing` something. What is neither Stripe's nor ours came of reading an
 * answer that lacks what Stripe's API promises: a proxy's, perhaps, or another server's.
 */
export function translate(error: unknown, doing: string): MeterctlError {
  if (error instanceof MeterctlError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) return notUnderstood(error, doing);
  const message = withoutStripeSecrets(error.message);
  const said = `Stripe, asked to ${doing}, answered: ${message}`;
  if (error instanceof Stripe.errors.StripeAuthenticationError || isForbidden(error)) {
    return new MeterctlError('unauthorized', `${keyRefusal(error)} It was needed to ${doing}.`, {
      hint: 'Check STRIPE_SECRET_KEY, and grant a restricted key this permission in the Dashboard.',
      cause: error,
    });
  }
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return new MeterctlError('unavailable', `Stripe could not be reached to ${doing}: ${message}`, {
      hint: 'Check the network and STRIPE_API_BASE, then try again.',
      cause: error,
    });
  }
  const options = { cause: error, answered: isAnswer(error) };
  if (isMissing(error)) return new MeterctlError('not_found', said, options);
  if (error instanceof Stripe.errors.StripeIdempotencyError && error.statusCode !== 409)
    return new MeterctlError('conflict', said, options);
  if (error instanceof Stripe.errors.StripeInvalidRequestError)
    return new MeterctlError('invalid', said, options);
  return new MeterctlError('unavailable', said, { hint: 'Try again in a moment.', ...options });
}

/** Whether Stripe keeps this error under its Idempotency-Key: not when it refused to begin, or was still at work (stripe-facts 9). */
function isAnswer({ statusCode }: InstanceType<typeof Stripe.errors.StripeError>): boolean {
  return statusCode !== undefined && statusCode !== 409 && statusCode !== 429;
}

function notUnderstood(error: unknown, doing: string): MeterctlError {
  const why = error instanceof Error ? error.message : String(error);
  return new MeterctlError(
    'unavailable',
    `Stripe, asked to ${doing}, gave an answer that is none of its API: ${withoutStripeSecrets(why)}`,
    {
      hint: 'Check STRIPE_API_BASE, and whether a proxy answers in its place.',
      cause: error,
    },
  );
}

/** Runs a call and translates what it throws. */
export async function asking<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translate(error, doing);
  }
}

/** Like `asking`, but a thing that does not exist is `undefined`. */
export async function finding<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw translate(error, doing);
  }
}
