/** `/v1/invoices`. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, missing, noSuch, notFound } from '../api-error.js';
import { listObjects, listRows, pageParameters } from '../pagination.js';
import {
  createdRange,
  emptyable,
  flag,
  integer,
  mergeMetadata,
  metadata,
  oneOf,
  text,
} from '../parameters.js';
import { type Route, route } from '../router.js';
import { collect, markPaid } from './collection.js';
import { finalize, finalizeAndCollect, markUncollectible, voidInvoice } from './finalization.js';
import { subscriptionOf, updateInvoice } from './invoice.js';
import type { Invoice } from './invoice-document.js';
import { cardError } from './payment-method.js';
import { noUpcoming, previewInvoice } from './preview.js';
import { isLive, periodEndOf, type Subscription } from './subscription.js';

const previewParameters = z.strictObject({
  customer: text().optional(),
  preview_mode: oneOf(['next', 'recurring']).default('next'),
  subscription: text().optional(),
  subscription_details: z
    .strictObject({
      cancel_at: emptyable(integer({ min: 0 })).optional(),
      cancel_at_period_end: flag().optional(),
      cancel_now: flag().optional(),
      proration_behavior: oneOf(['always_invoice', 'create_prorations', 'none']).optional(),
    })
    .optional(),
});

const payParameters = z.strictObject({
  off_session: flag().optional(),
  paid_out_of_band: flag().default(false),
  payment_method: text().optional(),
});

function invoiceById(account: Account, id: string): Invoice {
  const invoice = account.objects.get('invoice', id);
  if (!invoice) throw notFound('invoice', id);
  return invoice;
}

/** The subscription to preview: the one named, or the customer's that is billed next. */
function previewed(account: Account, asked: z.output<typeof previewParameters>): Subscription {
  if (asked.subscription !== undefined) {
    const named = account.objects.get('subscription', asked.subscription);
    if (!named || (asked.customer !== undefined && named.customer !== asked.customer)) {
      throw noSuch('subscription', asked.subscription, 'subscription');
    }
    return named;
  }
  if (asked.customer === undefined) throw missing('customer');
  const { customer } = asked;
  if (!account.objects.get('customer', customer)) throw noSuch('customer', customer, 'customer');
  const [next] = account.objects
    .all('subscription', { fields: { customer }, where: (each) => isLive(each) && each.status !== 'paused' })
    .sort((left, right) => periodEndOf(left) - periodEndOf(right));
  if (!next) throw noUpcoming(customer);
  return next;
}

function preview(account: Account, asked: z.output<typeof previewParameters>): Invoice {
  const subscription = previewed(account, asked);
  const details = asked.subscription_details;
  const atPeriodEnd = details?.cancel_at_period_end;
  return previewInvoice(account, subscription, {
    cancelNow: details?.cancel_now ?? false,
    cancelAtSec:
      atPeriodEnd === undefined ? details?.cancel_at : atPeriodEnd ? periodEndOf(subscription) : null,
    mode: asked.preview_mode,
  });
}

/** Pays an open invoice; a draft is made final first. Throws the card's error when it is declined. */
function pay(account: Account, invoice: Invoice, asked: z.output<typeof payParameters>): Invoice {
  if (invoice.status === 'paid')
    throw new ApiError('Invoice is already paid', { code: 'invoice_already_paid' });
  if (invoice.status !== 'draft' && invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw new ApiError('This invoice can no longer be paid.', { code: 'invoice_not_payable' });
  }
  const open = invoice.status === 'draft' ? finalize(account, invoice) : invoice;
  if (asked.paid_out_of_band || open.amount_due === 0) return markPaid(account, open, asked.paid_out_of_band);
  const id = asked.payment_method;
  const method = id === undefined ? undefined : account.objects.get('payment_method', id);
  if (id !== undefined && !method) throw noSuch('payment_method', id, 'payment_method');
  const { invoice: tried, failure } = collect(account, open, method);
  if (failure) throw cardError(failure);
  return tried;
}

/** A draft goes on by itself again or no longer; other fields a merchant may set. */
const updateParameters = z.strictObject({
  auto_advance: flag().optional(),
  description: emptyable(text()).optional(),
  metadata: metadata().optional(),
});

function update(account: Account, invoice: Invoice, asked: z.output<typeof updateParameters>): Invoice {
  const { auto_advance: advances, description, metadata: pairs } = asked;
  const waits = advances && invoice.status === 'draft';
  return updateInvoice(
    account,
    invoice,
    {
      metadata: mergeMetadata(invoice.metadata ?? {}, pairs),
      ...(description === undefined ? {} : { description }),
      ...(advances === undefined ? {} : { auto_advance: advances }),
      ...(advances === false ? { automatically_finalizes_at: null } : {}),
      ...(waits ? { automatically_finalizes_at: account.clock.nowSec() } : {}),
    },
    'invoice.updated',
  );
}

const nothing = z.strictObject({});

/** A route that does one thing to one invoice. */
function action(name: string, work: (account: Account, invoice: Invoice) => Invoice): Route {
  return route({
    method: 'post',
    path: `/v1/invoices/:id/${name}`,
    parameters: nothing,
    handle: (account, { path }) => work(account, invoiceById(account, path.id)),
  });
}

/** Invoices. */
export const invoiceRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/invoices/create_preview',
    parameters: previewParameters,
    handle: (account, { parameters }) => preview(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/invoices',
    parameters: z.strictObject({
      ...pageParameters,
      collection_method: oneOf(['charge_automatically', 'send_invoice']).optional(),
      created: createdRange().optional(),
      customer: text().optional(),
      status: oneOf(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
      subscription: text().optional(),
    }),
    handle(account, request) {
      const { created, subscription, customer, status, collection_method } = request.parameters;
      return listObjects(account, 'invoice', request, {
        created,
        fields: { customer, status, collection_method },
        where: (each) => subscription === undefined || subscriptionOf(account, each)?.id === subscription,
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/invoices/:id',
    parameters: nothing,
    handle: (account, { path }) => invoiceById(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/invoices/:id',
    parameters: updateParameters,
    handle: (account, { path, parameters }) => update(account, invoiceById(account, path.id), parameters),
  }),
  route({
    method: 'get',
    path: '/v1/invoices/:id/lines',
    parameters: z.strictObject(pageParameters),
    handle: (account, request) => listRows(invoiceById(account, request.path.id).lines.data, request),
  }),
  route({
    method: 'post',
    path: '/v1/invoices/:id/finalize',
    parameters: z.strictObject({ auto_advance: flag().optional() }),
    handle(account, { path, parameters }) {
      const draft = invoiceById(account, path.id);
      const goesOn = parameters.auto_advance ?? draft.auto_advance ?? true;
      return goesOn ? finalizeAndCollect(account, draft).invoice : finalize(account, draft);
    },
  }),
  route({
    method: 'post',
    path: '/v1/invoices/:id/pay',
    parameters: payParameters,
    handle: (account, { path, parameters }) => pay(account, invoiceById(account, path.id), parameters),
  }),
  action('void', voidInvoice),
  action('mark_uncollectible', markUncollectible),
];
