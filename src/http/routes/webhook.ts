/** `POST /webhook`: Stripe's messages, verified on the raw bytes and stored before they are acknowledged. */

import type { RequestHandler } from 'express';
import type { Inbox } from '../../webhooks/inbox.js';
import type { Metrics } from '../metrics.js';
import { sendProblem } from '../problem.js';

/** Stripe's events are well below this; what is larger is refused unread. */
export const webhookBodyMax = '1mb';

/** Receives one message. The body must be raw bytes. */
export function webhook(inbox: Inbox, metrics: Metrics): RequestHandler {
  return async function webhook(req, res) {
    const signature = req.headers['stripe-signature'];
    const body: unknown = req.body;
    const receipt =
      typeof signature === 'string' && Buffer.isBuffer(body)
        ? await inbox.receive(body, signature)
        : 'unsigned';
    metrics.countWebhook(receipt);
    switch (receipt) {
      case 'unsigned':
        return sendProblem(
          res,
          'invalid_signature',
          'The Stripe-Signature header is missing, too old, or made with another secret than STRIPE_WEBHOOK_SECRET.',
        );
      case 'unreadable':
        return sendProblem(res, 'invalid_request', 'The body is no Stripe event.');
      case 'first':
      case 'seen':
        res.json({ received: true });
    }
  };
}
