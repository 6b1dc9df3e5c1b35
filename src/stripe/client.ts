/** Makes the SDK's client; the embedded Stripe and any other server differ from Stripe by their base URL alone. */

import Stripe from 'stripe';

/** The API version that this program is written for; webhook endpoints are pinned to it (stripe-facts 6). */
export const apiVersion = '2026-10-28.endive';

/** No answer within this time counts as none: the SDK's own default of 80 s would hold a lease or a person too long. */
const timeoutMs = 15_000;

/** For calls that may be repeated: reads, and creates under one Idempotency-Key. Never for meter events: the courier repeats those. */
export const repeatable = { maxNetworkRetries: 2 };

/** How a client reaches Stripe. */
export interface ClientOptions {
  secretKey: string;
  /** `null` is Stripe itself. */
  apiBase: string | null;
}

/** Makes a client. It repeats nothing by itself: see `repeatable`. */
export function createClient(options: ClientOptions): Stripe {
  return new Stripe(options.secretKey, {
    apiVersion,
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
    appInfo: { name: 'meterctl' },
    ...addressOf(options.apiBase),
  });
}

function addressOf(apiBase: string | null) {
  if (apiBase === null) return {};
  const url = new URL(apiBase);
  const protocol = url.protocol === 'https:' ? ('https' as const) : ('http' as const);
  const port = url.port || (protocol === 'https' ? '443' : '80');
  return { protocol, host: url.hostname, port };
}
