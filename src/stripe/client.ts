/** Makes the SDK's client; the embedded Stripe and any other server differ from Stripe by their base URL alone. */

import Stripe from 'stripe';
import { answerMaxMs } from '../domain/billing.js';

/** The API version that this program is written for; webhook endpoints are pinned to it (stripe-facts 6). */
export const apiVersion = '2026-10-28.endive';

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
    timeout: answerMaxMs,
    maxNetworkRetries: 0,
    httpClient: createHttpClient(),
    telemetry: false,
    appInfo: { name: 'meterctl' },
    ...addressOf(options.apiBase),
  });
}

/**
 * The SDK repeats a request whose connection was cut once, whatever it was told (RequestSender: "a closed connection is
 * retried once even when retries are disabled"), and then tells of the second answer only. When Stripe had processed the
 * first and the second was refused by a rate limit, that would read as "certainly not processed". So a cut is shown to the
 * SDK without the code by which it knows one.
 */
function createHttpClient(): Stripe.HttpClient {
  const client = Stripe.createNodeHttpClient();
  const send = client.makeRequest.bind(client);
  client.makeRequest = (...request) =>
    send(...request).catch((error: NodeJS.ErrnoException) => {
      if (!cutCodes.has(error.code ?? '')) throw error;
      throw new Error(error.message, { cause: error });
    });
  return client;
}

const cutCodes = new Set(['ECONNRESET', 'EPIPE']);

function addressOf(apiBase: string | null) {
  if (apiBase === null) return {};
  const url = new URL(apiBase);
  const protocol = url.protocol === 'https:' ? ('https' as const) : ('http' as const);
  const port = url.port || (protocol === 'https' ? '443' : '80');
  return { protocol, host: url.hostname, port };
}
