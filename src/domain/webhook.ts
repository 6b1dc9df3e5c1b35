/** A message from Stripe, kept before it is acted on. */

/** `snapshot`: a v1 event with the object inside; `thin`: a v2 notification that only names what happened. */
export type WebhookKind = 'snapshot' | 'thin';

/** `received`: stored, not applied yet. `applied`: done, or nothing to do. `failed`: given up after many attempts; replay it. */
export type WebhookState = 'received' | 'applied' | 'failed';

/** Every state. */
export const webhookStates: readonly WebhookState[] = ['received', 'applied', 'failed'];

/** No message waits longer for its next attempt; the inbox's own pauses are shorter. */
export const waitMaxMs = 3_600_000;

/** A verified message that is about to be stored. */
export interface NewWebhook {
  /** Stripe's event id. */
  id: string;
  kind: WebhookKind;
  type: string;
  /** The verified body as it came, JSON text. */
  body: string;
  /** When the event happened, as Stripe says. */
  createdAtMs: number;
  /** How it came. */
  source: 'webhook' | 'poll';
}

/** A message in the inbox. */
export interface Webhook extends NewWebhook {
  state: WebhookState;
  receivedAtMs: number;
  appliedAtMs: number | null;
  attempts: number;
  /** When it is tried again; while it is being applied, when its lease runs out. */
  nextAttemptAtMs: number;
  /** Why the last attempt failed. */
  reason: string | null;
}

/**
 * Verifies a raw body against the signature header and reads what it is. `unsigned`: no configured secret fits, or it is too
 * old. `unreadable`: signed, but no event.
 */
export type ReadWebhook = (body: Uint8Array, signature: string) => NewWebhook | 'unsigned' | 'unreadable';

/** Usage that Stripe rejected after it had accepted it. */
export interface MeterRejection {
  /** The Idempotency-Key or the identifier of the event: meterctl makes one from the other. */
  identifier: string;
  reason: string;
}

/** Stripe's report of rejections: it counts all, and names samples (stripe-facts 3d). */
export interface MeterRejectionReport {
  rejections: MeterRejection[];
  /** How many events were rejected; more than are named when Stripe left some out. */
  errorCount: number;
}
