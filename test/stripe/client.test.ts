import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerMaxMs, type Billing } from '../../src/domain/billing.js';
import { createBilling } from '../../src/stripe/billing.js';
import { openCannedStripe } from '../support/canned-stripe.js';
import { createFakeHost } from '../support/host.js';

/** A server that takes every request and cuts its connection instead of answering. */
async function openSilence(): Promise<{ apiBase: string; requests(): number }> {
  let requests = 0;
  const server = createServer((request) => {
    requests += 1;
    request.resume().on('end', () => request.socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // A TCP server's address is never a pipe's.
  return { apiBase: `http://127.0.0.1:${port}`, requests: () => requests };
}

/** A server that answers a space every few seconds, and never comes to an end. */
async function openTrickle(): Promise<string> {
  const ended = new AbortController();
  const server = createServer(async (request, response) => {
    request.resume();
    response.on('error', () => undefined).writeHead(200, { 'content-type': 'application/json' });
    while (!ended.signal.aborted) {
      response.write(' ');
      await delay(2_000, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    ended.abort();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // A TCP server's address is never a pipe's.
  return `http://127.0.0.1:${port}`;
}

describe('the client', () => {
  it('does not wait for an answer that trickles in', { timeout: 3 * answerMaxMs }, async () => {
    const host = createFakeHost();
    const apiBase = await openTrickle();
    const billing = createBilling({ secretKey: 'sk_test_x', apiBase, meterId: null }, host.clock);
    const event = { identifier: 'dlv_1', idempotencyKey: 'dlv_1', meter: 'calls', customerId: 'cus_1' };
    const answer = await billing.sendMeterEvent({ ...event, units: 1, timestampMs: 0 });
    expect(answer).toMatchObject({ kind: 'retry', processed: 'unknown', nextKey: false });
  });

  it('asks again to create what was refused as too much at once, but never sends a meter event again', async () => {
    const error = { type: 'invalid_request_error', code: 'lock_timeout', message: 'This object is locked.' };
    const customer = { id: 'cus_1', object: 'customer', created: 0 };
    const { billing, requests } = await openCannedStripe((before) =>
      before < 3
        ? { status: 429, body: JSON.stringify({ error }) }
        : { status: 200, body: JSON.stringify(customer) },
    );
    const event = { identifier: 'dlv_1', idempotencyKey: 'dlv_1', meter: 'calls', customerId: 'cus_1' };
    const answer = await billing.sendMeterEvent({ ...event, units: 1, timestampMs: 0 });
    expect(answer).toMatchObject({ kind: 'retry', processed: 'no', nextKey: false });
    expect(requests()).toBe(1);
    // A server that leaves out what Stripe sends as null is understood, too.
    expect(await billing.addCustomer({ email: 'ada@example.com', name: null }, 'once')).toMatchObject({
      id: 'cus_1',
      email: null,
      name: null,
    });
    expect(requests()).toBe(4);
  });

  it.each<[string, (billing: Billing) => Promise<unknown>, object]>([
    ['reads', (billing) => billing.findCustomer('cus_1'), { id: 'cus_1', object: 'customer', created: 0 }],
    [
      'previews an invoice',
      (billing) => billing.findComingInvoice('cus_1', 'sub_1'),
      {
        object: 'invoice',
        currency: 'usd',
        period_start: 0,
        period_end: 9,
        amount_due: 0,
        lines: { data: [] },
      },
    ],
  ])('%s again after 429', async (_, ask, answer) => {
    const error = { type: 'invalid_request_error', code: 'rate_limit', message: 'Too many requests.' };
    const { billing, requests } = await openCannedStripe((before) =>
      before < 2
        ? { status: 429, body: JSON.stringify({ error }) }
        : { status: 200, body: JSON.stringify(answer) },
    );
    expect(await ask(billing)).toBeDefined();
    expect(requests()).toBe(3);
  });

  it('sends a meter event once, also when the connection is cut', async () => {
    const { apiBase, requests } = await openSilence();
    const host = createFakeHost();
    const billing = createBilling({ secretKey: 'sk_test_x', apiBase, meterId: null }, host.clock);
    const answer = await billing.sendMeterEvent({
      identifier: 'dlv_1',
      idempotencyKey: 'dlv_1',
      meter: 'calls',
      customerId: 'cus_1',
      units: 1,
      timestampMs: host.clock.nowMs(),
    });
    expect(answer).toMatchObject({ kind: 'retry', processed: 'unknown', nextKey: false });
    expect(requests()).toBe(1);
  });
});
