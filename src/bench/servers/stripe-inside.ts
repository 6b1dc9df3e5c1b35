/** The old pattern: each call waits until Stripe has taken its usage. */

import express from 'express';
import Stripe from 'stripe';
import { plainAnswer } from './answer.js';
import { type BenchServer, listened } from './server.js';

/** Sends a meter event to the Stripe at `stripeUrl` and then answers. */
export function openStripeInside(stripeUrl: string): Promise<BenchServer> {
  const { hostname, port } = new URL(stripeUrl);
  const stripe = new Stripe('sk_test_bench', { host: hostname, port, protocol: 'http', telemetry: false });
  const app = express();
  app.get('/api', async (_, res) => {
    const payload = { stripe_customer_id: 'cus_bench', value: '1' };
    await stripe.billing.meterEvents.create({ event_name: 'bench_calls', payload });
    res.json(plainAnswer);
  });
  return listened(app.listen(0, '127.0.0.1'));
}
