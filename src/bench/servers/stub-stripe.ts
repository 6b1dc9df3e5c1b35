/** A Stripe that takes every meter event, after as long as the network to the real one would take. */

import { createServer } from 'node:http';
import type { Clock } from '../../lib/host.js';
import { type BenchServer, listening } from './server.js';

/** Answers each request after `delayMs`. */
export function openStubStripe(delayMs: number, clock: Clock): Promise<BenchServer> {
  const event = { object: 'billing.meter_event', event_name: 'bench_calls', livemode: false };
  const body = Buffer.from(JSON.stringify(event));
  return listening(
    createServer((req, res) => {
      req.resume();
      req.once('end', async () => {
        if (delayMs > 0) await clock.sleep(delayMs);
        res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
        res.end(body);
      });
    }),
  );
}
