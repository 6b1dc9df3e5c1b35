import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBilling } from '../../src/stripe/billing.js';
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

describe('the client', () => {
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
