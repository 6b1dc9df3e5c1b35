/** What the routes of the customer portal take. */

import { z } from 'zod';
import { pageParameters } from '../pagination.js';
import { emptyable, flag, metadata, oneOf, text } from '../parameters.js';
import { url } from './url-parameter.js';

const enabled = z.strictObject({ enabled: flag() });
const proration = oneOf(['always_invoice', 'create_prorations', 'none']);

const features = z.strictObject({
  customer_update: z
    .strictObject({
      allowed_updates: z.array(oneOf(['address', 'email', 'name', 'phone', 'shipping', 'tax_id'])).optional(),
      enabled: flag().optional(),
    })
    .optional(),
  invoice_history: enabled.optional(),
  payment_method_update: enabled.optional(),
  subscription_cancel: z
    .strictObject({
      cancellation_reason: z
        .strictObject({ enabled: flag(), options: z.array(text()).optional() })
        .optional(),
      enabled: flag().optional(),
      mode: oneOf(['at_period_end', 'immediately']).optional(),
      proration_behavior: proration.optional(),
    })
    .optional(),
  subscription_update: z
    .strictObject({
      default_allowed_updates: z.array(oneOf(['price', 'promotion_code', 'quantity'])).optional(),
      enabled: flag().optional(),
    })
    .optional(),
});

/** `POST /v1/billing_portal/configurations`. */
export const configurationParameters = z.strictObject({
  business_profile: z
    .strictObject({
      headline: emptyable(text({ max: 60 })).optional(),
      privacy_policy_url: url().optional(),
      terms_of_service_url: url().optional(),
    })
    .optional(),
  default_return_url: emptyable(url()).optional(),
  features,
  login_page: enabled.optional(),
  metadata: metadata().optional(),
  name: emptyable(text()).optional(),
});

/** `POST /v1/billing_portal/configurations/:id`. */
export const configurationUpdate = z.strictObject({
  ...configurationParameters.shape,
  active: flag().optional(),
  features: features.optional(),
});

/** `GET /v1/billing_portal/configurations`. */
export const configurationList = z.strictObject({
  ...pageParameters,
  active: flag().optional(),
  is_default: flag().optional(),
});

/** `POST /v1/billing_portal/sessions`. */
export const sessionParameters = z.strictObject({
  configuration: text().optional(),
  customer: text(),
  flow_data: z
    .strictObject({
      after_completion: z
        .strictObject({
          redirect: z.strictObject({ return_url: url() }).optional(),
          type: oneOf(['hosted_confirmation', 'portal_homepage', 'redirect']),
        })
        .optional(),
      subscription_cancel: z.strictObject({ subscription: text() }).optional(),
      type: oneOf(['payment_method_update', 'subscription_cancel']),
    })
    .optional(),
  locale: text().optional(),
  return_url: url().optional(),
});
