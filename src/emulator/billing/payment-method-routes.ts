/** `/v1/payment_methods`: test cards and test bank accounts only. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, noSuch, notFound } from '../api-error.js';
import { listObjects, pageParameters } from '../pagination.js';
import { integer, oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import {
  attachPaymentMethod,
  createPaymentMethod,
  detachPaymentMethod,
  type PaymentMethod,
} from './payment-method.js';
import { testPaymentMethods } from './test-payment-methods.js';

const createParameters = z.strictObject({
  billing_details: z
    .strictObject({ email: text().optional(), name: text().optional(), phone: text().optional() })
    .optional(),
  card: z
    .strictObject({
      cvc: text().optional(),
      exp_month: integer({ min: 1, max: 12 }).optional(),
      exp_year: integer({ min: 2000 }).optional(),
      number: text().optional(),
      token: text().optional(),
    })
    .optional(),
  type: oneOf(['card']),
});

/** The payment method of this id; a ready-made id such as `pm_card_visa` makes a new one. Throws 404. */
function methodById(account: Account, id: string): PaymentMethod {
  const ready = testPaymentMethods.find((method) => method.id === id);
  const method = ready ? createPaymentMethod(account, ready) : account.objects.get('payment_method', id);
  if (!method) throw notFound('payment_method', id);
  return method;
}

function create(account: Account, asked: z.output<typeof createParameters>): PaymentMethod {
  const digits = (asked.card?.number ?? '').replaceAll(/[\s-]/g, '');
  const token = asked.card?.token?.replace(/^tok_/, 'pm_card_');
  const method = testPaymentMethods.find((each) => each.number === digits || each.id === token);
  if (!method) {
    throw new ApiError(
      'Your card was declined. This Stripe only knows test cards: https://docs.stripe.com/testing.',
      {
        status: 402,
        type: 'card_error',
        code: 'card_declined',
      },
    );
  }
  const owner = asked.billing_details;
  return createPaymentMethod(account, method, { email: owner?.email ?? null, name: owner?.name ?? null });
}

/** Payment methods. */
export const paymentMethodRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/payment_methods',
    parameters: createParameters,
    handle: (account, { parameters }) => create(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/payment_methods',
    parameters: z.strictObject({
      ...pageParameters,
      customer: text().optional(),
      type: text().optional(),
    }),
    handle(account, request) {
      const { customer, type } = request.parameters;
      return listObjects(account, 'payment_method', request, { fields: { customer, type } });
    },
  }),
  route({
    method: 'get',
    path: '/v1/payment_methods/:id',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const method = account.objects.get('payment_method', path.id);
      if (!method) throw notFound('payment_method', path.id);
      return method;
    },
  }),
  route({
    method: 'get',
    path: '/v1/customers/:customer/payment_methods',
    parameters: z.strictObject({ ...pageParameters, type: text().optional() }),
    handle(account, request) {
      const { customer } = request.path;
      if (!account.objects.get('customer', customer)) throw notFound('customer', customer);
      return listObjects(account, 'payment_method', request, {
        fields: { customer, type: request.parameters.type },
      });
    },
  }),
  route({
    method: 'post',
    path: '/v1/payment_methods/:id/attach',
    parameters: z.strictObject({ customer: text() }),
    handle(account, { path, parameters }) {
      const { customer } = parameters;
      if (!account.objects.get('customer', customer)) throw noSuch('customer', customer, 'customer');
      return attachPaymentMethod(account, methodById(account, path.id), customer);
    },
  }),
  route({
    method: 'post',
    path: '/v1/payment_methods/:id/detach',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const method = methodById(account, path.id);
      if (method.customer === null) {
        throw new ApiError(
          'The payment method you provided is not attached to a customer so detachment is impossible.',
        );
      }
      return detachPaymentMethod(account, method);
    },
  }),
];
