/** What a buyer does in a browser and with curl, done over HTTP. */

import { MeterctlError } from '../../domain/error.js';
import type { Host } from '../../lib/host.js';

/** Asks for a Checkout session. */
export async function openCheckout({ fetch }: Host, url: string): Promise<{ id: string; url: string }> {
  const answer = await expected(await fetch(`${url}/checkout`, { method: 'POST' }), 200);
  return (await answer.json()) as { id: string; url: string };
}

/** Pays on the embedded Stripe's page with the test card that is chosen there. Returns where it leads. */
export async function completeCheckout({ fetch }: Host, pageUrl: string): Promise<string> {
  const body = new URLSearchParams({ email: 'ada@example.com', name: 'Ada Lovelace' });
  const answer = await expected(await fetch(pageUrl, { method: 'POST', body, redirect: 'manual' }), 303);
  return answer.headers.get('location') ?? '';
}

/** Looks at the success page, presses its button, and reads the key. */
export async function pressForKey({ fetch }: Host, successUrl: string, action: string): Promise<string> {
  await expected(await fetch(successUrl), 200);
  const body = new URLSearchParams({ session_id: new URL(successUrl).searchParams.get('session_id') ?? '' });
  const page = await (await expected(await fetch(action, { method: 'POST', body }), 200)).text();
  const key = /<code id="api-key">([^<]+)<\/code>/.exec(page)?.[1];
  if (key === undefined) throw new MeterctlError('internal', 'The success page shows no key.');
  return key;
}

/** Calls the paid endpoint; returns status and body as one line. */
export async function callPaid({ fetch }: Host, url: string, key?: string): Promise<string> {
  const answer = await fetch(
    `${url}/api`,
    key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } },
  );
  await expected(answer, key === undefined ? 401 : 200);
  const body = (await answer.json()) as { code?: string };
  return `${answer.status} ${body.code ?? JSON.stringify(body)}`;
}

async function expected(answer: Response, status: number): Promise<Response> {
  if (answer.status === status) return answer;
  throw new MeterctlError(
    'internal',
    `${answer.url} answered ${answer.status}, not ${status}: ${await answer.text()}`,
  );
}
