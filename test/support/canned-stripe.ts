/** A Stripe that gives answers written down beforehand, for what the embedded Stripe never says. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Billing } from '../../src/domain/billing.js';
import { createBilling } from '../../src/stripe/billing.js';
import { createFakeHost } from './host.js';

/** An answer; the body is JSON unless the type says otherwise. */
export interface CannedAnswer {
  status: number;
  body: string;
  type?: string;
}

/** Opens it, and meterctl's adapter on it. `answer` is told how many requests came before. */
export async function openCannedStripe(
  answer: (before: number) => CannedAnswer,
): Promise<{ billing: Billing; requests(): number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    const { status, body, type = 'application/json' } = answer(requests);
    requests += 1;
    request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // A TCP server's address is never a pipe's.
  const apiBase = `http://127.0.0.1:${port}`;
  const { clock } = createFakeHost();
  return {
    billing: createBilling({ secretKey: 'sk_test_x', apiBase, meterId: 'mtr_1' }, clock),
    requests: () => requests,
  };
}
