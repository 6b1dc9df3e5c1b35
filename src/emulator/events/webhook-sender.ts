/** Sends webhooks: signed, with retries and no promise about order (stripe-facts 6). */

import { createHmac } from 'node:crypto';
import type { Host } from '../../lib/host.js';
import type { Account } from '../account.js';
import { type ClaimedDelivery, type DeliveryQueue, forwardDestination } from './delivery-queue.js';

/** Deliveries taken at once; each is one request. */
const batchMax = 20;
/** How long a receiver may take. Stripe publishes no number. */
const timeoutMs = 20_000;
/** A claim outlives the slowest receiver, twice over for a duplicate. */
const leaseMs = 3 * timeoutMs;
/** Retries double from one second to one hour: 80 of them take three days, as long as Stripe tries in live mode. */
const retryMs = (attempts: number) => Math.min(1000 * 2 ** attempts, 3_600_000);
const attemptsMax = 80;
/** How long a webhook is held back at most, so that later ones overtake it. */
const heldBackMsMax = 2000;

/** Where `stripe listen --forward-to` would send. */
export interface ForwardTo {
  url: string;
  secret: string;
}

/** What a sender needs. */
export interface SenderOptions {
  account: Account;
  queue: DeliveryQueue;
  host: Host;
  /** Where the forwarding listener is, if this process has one. */
  forwardTo(): ForwardTo | undefined;
}

/** Sends webhooks that are due. */
export interface WebhookSender {
  /** Sends everything that is due now, each once. */
  tick(signal: AbortSignal): Promise<void>;
}

/** Makes a sender. It sends what it can claim; other processes on the file send the rest. */
export function createWebhookSender(options: SenderOptions): WebhookSender {
  const { account, queue, host } = options;

  async function deliver(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    const faults = account.faults.get();
    const strikes = (rate: number) => rate > 0 && host.random.next() < rate;
    if (!delivery.heldBack && delivery.attempts === 0 && strikes(faults.reorderWebhooks)) {
      queue.holdBack(delivery.id, host.clock.nowMs() + Math.ceil(host.random.next() * heldBackMsMax));
      return;
    }
    const target = targetOf(options, delivery);
    const body = target && bodyOf(account, delivery, target.apiVersion);
    if (target === undefined || body === undefined) {
      queue.settle(delivery.id, { outcome: 'failed', answer: 'the destination is gone or disabled' });
      return;
    }
    const answer = await post(host, target, body, signal);
    if (/^2\d\d$/.test(answer)) {
      queue.settle(delivery.id, { outcome: 'delivered', answer });
      if (strikes(faults.duplicateWebhooks)) await post(host, target, body, signal);
    } else if (delivery.attempts + 1 >= attemptsMax) {
      queue.settle(delivery.id, { outcome: 'failed', answer });
    } else {
      const nextAttemptMs = host.clock.nowMs() + retryMs(delivery.attempts);
      queue.settle(delivery.id, { outcome: 'again', answer, nextAttemptMs });
    }
  }

  return {
    async tick(signal) {
      while (!signal.aborted) {
        const batch = queue.claim({ forward: options.forwardTo() !== undefined, limit: batchMax, leaseMs });
        if (batch.length === 0) return;
        await Promise.all(batch.map((delivery) => deliver(delivery, signal)));
      }
    },
  };
}

interface Target extends ForwardTo {
  /** The version snapshots are labelled with; undefined leaves the account's. */
  apiVersion: string | undefined;
}

function targetOf({ account, ...options }: SenderOptions, delivery: ClaimedDelivery): Target | undefined {
  const { destination } = delivery;
  const forwardTo = options.forwardTo();
  if (destination === forwardDestination) return forwardTo && { ...forwardTo, apiVersion: undefined };
  const endpoint = account.objects.get('webhook_endpoint', destination);
  if (endpoint?.status === 'enabled' && endpoint.secret !== undefined)
    return { url: endpoint.url, secret: endpoint.secret, apiVersion: endpoint.api_version ?? undefined };
  const v2 = account.objects.get('event_destination', destination);
  const { url, signing_secret: secret } = v2?.webhook_endpoint ?? {};
  if (v2?.status !== 'enabled' || url === undefined || secret === undefined) return undefined;
  return { url, secret, apiVersion: v2.snapshot_api_version };
}

/** The event as it is sent: a thin one without its data, a snapshot under its receiver's version. */
function bodyOf(
  account: Account,
  delivery: ClaimedDelivery,
  apiVersion: string | undefined,
): string | undefined {
  if (delivery.eventKind === 'thin_event') {
    const event = account.objects.get('thin_event', delivery.eventId);
    if (!event) return undefined;
    const { data, ...notification } = event;
    return JSON.stringify(notification);
  }
  const event = account.objects.get('event', delivery.eventId);
  if (!event) return undefined;
  return JSON.stringify({
    ...event,
    api_version: apiVersion ?? event.api_version,
    pending_webhooks: account.outstanding(event.id).pending,
  });
}

/** Posts, signed now. Returns the status, or why there is none. Redirects are failures. */
async function post(host: Host, target: Target, body: string, signal: AbortSignal): Promise<string> {
  const answered = new AbortController();
  const late = new AbortController();
  void host.clock.sleep(timeoutMs, answered.signal).then(() => late.abort(new Error('timed out')));
  try {
    const response = await host.fetch(target.url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, late.signal]),
      headers: {
        'Content-Type': 'application/json; charset=utf-8',
        'Stripe-Signature': signatureHeader(target.secret, body, Math.floor(host.clock.nowMs() / 1000)),
        'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      },
    });
    await response.body?.cancel();
    return String(response.status);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    answered.abort();
  }
}

/** `t=…,v1=…`: HMAC-SHA256 of `t.body` under the whole secret (stripe-facts 6). */
function signatureHeader(secret: string, body: string, timestampSec: number): string {
  const signature = createHmac('sha256', secret).update(`${timestampSec}.${body}`).digest('hex');
  return `t=${timestampSec},v1=${signature}`;
}
