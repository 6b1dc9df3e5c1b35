/** Makes the SDK's client; the embedded Stripe and any other server differ from Stripe by their base URL alone. */

import type { IncomingMessage } from 'node:http';
import { addAbortSignal } from 'node:stream';
import Stripe from 'stripe';
import { answerMaxMs } from '../domain/billing.js';

/** The API version that this program is written for; webhook endpoints are pinned to it (stripe-facts 6). */
export const apiVersion = '2026-10-28.endive';

/**
 * For calls that may be repeated after 409, 429, 5xx and lost connections: reads, and creates under one Idempotency-Key. Never
 * for meter events: the courier repeats those.
 */
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

/** No answer of Stripe's is longer; the SDK would take in anything until memory ends. */
const answerMaxBytes = 16 * 1024 * 1024;

/**
 * The SDK repeats a request whose connection was cut once, whatever it was told (RequestSender: "a closed connection is
 * retried once even when retries are disabled"), and then tells of the second answer only. When Stripe had processed the
 * first and the second was refused by a rate limit, that would read as "certainly not processed". So a cut is shown to the
 * SDK without the code by which it knows one. And it never repeats a 429 on its own (stripe-facts 9), though such a lock or
 * burst passes in a moment: it is told to, and does for what may be repeated.
 */
function createHttpClient(): Stripe.HttpClient {
  const client = Stripe.createNodeHttpClient();
  const send = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    // The SDK's own limit begins anew with every byte: an answer that trickles in would outlast any lease.
    const late = AbortSignal.timeout(answerMaxMs);
    try {
      const response = await send(...request);
      // The client was made by the SDK for Node, so its answers are Node's.
      limit(addAbortSignal(late, response.getRawResponse() as IncomingMessage));
      if (response.getStatusCode() === 429) {
        const headers = { 'stripe-should-retry': 'true', ...response.getHeaders() };
        response.getHeaders = () => headers;
      }
      return response;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && cutCodes.has(String(error.code)))) throw error;
      throw new Error(error.message, { cause: error });
    }
  };
  return client;
}

function limit(body: IncomingMessage): void {
  let length = 0;
  body.on('data', (chunk: Buffer | string) => {
    length += chunk.length;
    if (length > answerMaxBytes) body.destroy(new Error("The answer is too long to be Stripe's."));
  });
}

const cutCodes = new Set(['ECONNRESET', 'EPIPE']);

function addressOf(apiBase: string | null) {
  if (apiBase === null) return {};
  const url = new URL(apiBase);
  const protocol = url.protocol === 'https:' ? ('https' as const) : ('http' as const);
  const port = url.port || (protocol === 'https' ? '443' : '80');
  return { protocol, host: url.hostname, port };
}
