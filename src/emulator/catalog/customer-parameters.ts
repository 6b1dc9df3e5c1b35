/** The parameters of customers. */

import { z } from 'zod';
import { pageParameters } from '../pagination.js';
import { createdRange, emptyable, integer, metadata, oneOf, refuse, text } from '../parameters.js';

const email = z.string().check((context) => {
  const { value } = context;
  if (value.length > 512 || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value))
    refuse(context, 'email_invalid', () => `Invalid email address: ${value.slice(0, 60)}`);
});

const address = z.strictObject({
  city: z.string().optional(),
  country: z.string().optional(),
  line1: z.string().optional(),
  line2: z.string().optional(),
  postal_code: z.string().optional(),
  state: z.string().optional(),
});

const invoiceSettings = z.strictObject({
  custom_fields: emptyable(
    z.array(z.strictObject({ name: text({ max: 40 }), value: text({ max: 140 }) })).max(4),
  ).optional(),
  default_payment_method: emptyable(text()).optional(),
  footer: emptyable(text()).optional(),
});

const prefix = z.string().check((context) => {
  if (!/^[A-Z0-9]{3,12}$/.test(context.value)) {
    refuse(context, undefined, () => 'Invoice prefixes must be 3-12 uppercase letters or numbers.');
  }
});

const shared = {
  address: emptyable(address).optional(),
  balance: integer().optional(),
  invoice_prefix: prefix.optional(),
  invoice_settings: invoiceSettings.optional(),
  metadata: metadata().optional(),
  next_invoice_sequence: integer({ min: 1 }).optional(),
  preferred_locales: z.array(text()).optional(),
  shipping: emptyable(z.strictObject({ address, name: text(), phone: z.string().optional() })).optional(),
  tax_exempt: oneOf(['exempt', 'none', 'reverse']).optional(),
};

/** `POST /v1/customers`. */
export const createParameters = z.strictObject({
  ...shared,
  description: text().optional(),
  email: email.optional(),
  name: text({ max: 256 }).optional(),
  payment_method: text().optional(),
  phone: text({ max: 20 }).optional(),
  test_clock: text().optional(),
});

/** `POST /v1/customers/:id`: an empty text unsets. */
export const updateParameters = z.strictObject({
  ...shared,
  description: emptyable(text()).optional(),
  email: emptyable(email).optional(),
  name: emptyable(text({ max: 256 })).optional(),
  phone: emptyable(text({ max: 20 })).optional(),
});

/** `GET /v1/customers`. */
export const listParameters = z.strictObject({
  ...pageParameters,
  created: createdRange().optional(),
  email: text().optional(),
  test_clock: text().optional(),
});
