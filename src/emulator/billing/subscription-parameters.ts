/** What the routes of subscriptions take. */

import { z } from 'zod';
import { pageParameters } from '../pagination.js';
import { createdRange, emptyable, flag, integer, metadata, oneOf, text } from '../parameters.js';

const proration = oneOf(['always_invoice', 'create_prorations', 'none']).default('create_prorations');
const behavior = oneOf(['cancel', 'create_invoice', 'pause']);
const seconds = () => integer({ min: 0 });

/** What happens when a trial ends without a payment method. */
export const trialSettings = z.strictObject({
  end_behavior: z.strictObject({ missing_payment_method: behavior }),
});

const collection = {
  collection_method: oneOf(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: integer({ min: 0, max: 730 }).optional(),
  default_payment_method: text().optional(),
  off_session: flag().optional(),
  payment_behavior: oneOf([
    'allow_incomplete',
    'default_incomplete',
    'error_if_incomplete',
    'pending_if_incomplete',
  ]).optional(),
  proration_behavior: proration,
  trial_end: z.union([z.literal('now'), seconds()]).optional(),
  trial_settings: trialSettings.optional(),
};

/** `POST /v1/subscriptions`. */
export const createParameters = z.strictObject({
  ...collection,
  customer: text(),
  items: z
    .array(
      z.strictObject({
        price: text().optional(),
        quantity: integer({ min: 0 }).optional(),
        metadata: metadata().optional(),
      }),
    )
    .optional(),
  backdate_start_date: seconds().optional(),
  billing_cycle_anchor: seconds().optional(),
  billing_mode: z.strictObject({ type: oneOf(['flexible']) }).optional(),
  cancel_at: seconds().optional(),
  cancel_at_period_end: flag().optional(),
  currency: text().optional(),
  description: text({ max: 500 }).optional(),
  metadata: metadata().optional(),
  trial_period_days: integer({ min: 1, max: 730 }).optional(),
});

/** `POST /v1/subscriptions/:id`. */
export const updateParameters = z.strictObject({
  ...collection,
  billing_cycle_anchor: oneOf(['now', 'unchanged']).optional(),
  cancel_at: emptyable(seconds()).optional(),
  cancel_at_period_end: flag().optional(),
  cancellation_details: z
    .strictObject({ comment: emptyable(text()).optional(), feedback: emptyable(text()).optional() })
    .optional(),
  description: emptyable(text({ max: 500 })).optional(),
  items: z
    .array(
      z.strictObject({
        id: text().optional(),
        price: text().optional(),
        quantity: integer({ min: 0 }).optional(),
        metadata: metadata().optional(),
        deleted: flag().optional(),
        clear_usage: flag().optional(),
      }),
    )
    .optional(),
  metadata: metadata().optional(),
  pause_collection: emptyable(
    z.strictObject({
      behavior: oneOf(['keep_as_draft', 'mark_uncollectible', 'void']),
      resumes_at: seconds().optional(),
    }),
  ).optional(),
  proration_date: seconds().optional(),
});

/** `GET /v1/subscriptions`. */
export const listParameters = z.strictObject({
  ...pageParameters,
  collection_method: oneOf(['charge_automatically', 'send_invoice']).optional(),
  created: createdRange().optional(),
  customer: text().optional(),
  price: text().optional(),
  status: oneOf([
    'active',
    'all',
    'canceled',
    'ended',
    'incomplete',
    'incomplete_expired',
    'past_due',
    'paused',
    'trialing',
    'unpaid',
  ]).optional(),
  test_clock: text().optional(),
});

/** `DELETE /v1/subscriptions/:id`. */
export const cancelParameters = z.strictObject({
  cancellation_details: z
    .strictObject({ comment: emptyable(text()).optional(), feedback: emptyable(text()).optional() })
    .optional(),
  invoice_now: flag().default(false),
  prorate: flag().default(false),
});

/** `POST /v1/subscriptions/:id/pause`. */
export const pauseParameters = z.strictObject({
  bill_for: z
    .strictObject({
      outstanding_usage_through: z.strictObject({ type: oneOf(['none', 'now']) }).optional(),
      unused_time_from: z
        .strictObject({ type: oneOf(['item_current_period_start', 'none', 'now']) })
        .optional(),
    })
    .optional(),
  invoicing_behavior: oneOf(['invoice', 'pending_invoice_item']).default('pending_invoice_item'),
  type: oneOf(['subscription']).default('subscription'),
});

/** `POST /v1/subscriptions/:id/resume`. */
export const resumeParameters = z.strictObject({
  billing_cycle_anchor: z.strictObject({ type: oneOf(['now', 'unchanged']) }).optional(),
  payment_behavior: oneOf(['resume_on_payment_attempt', 'resume_on_payment_success']).optional(),
  proration_behavior: proration,
  proration_date: seconds().optional(),
});
