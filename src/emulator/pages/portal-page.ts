/** The customer portal: subscriptions, the payment method, invoices. */

import { type Html, html } from '../../lib/html.js';
import type { Account } from '../account.js';
import { moneyWords } from '../billing/money-words.js';
import { methodWords, paymentMethodFor } from '../billing/payment-method.js';
import type { PortalConfiguration } from '../billing/portal-configuration.js';
import type { PortalSession } from '../billing/portal-routes.js';
import { isLive, isMetered, periodEndOf, type Subscription } from '../billing/subscription.js';
import type { Stored } from '../object-kinds.js';
import { day, layout } from './layout.js';
import { methodChoice } from './method-choice.js';
import { offerDetails, offerOf } from './offer.js';

/** Most invoices shown. */
const invoicesMax = 24;

/** What the portal's pages are made of. */
export interface PortalView {
  session: PortalSession;
  configuration: PortalConfiguration;
  customer: Stored<'customer'>;
  /** Something to say at the top. */
  message?: { text: string; good: boolean } | undefined;
}

/** The portal's home. */
export function portalPage(account: Account, view: PortalView): Html {
  const { session, customer, message } = view;
  const subscriptions = account.objects.all('subscription', { fields: { customer: customer.id } }).reverse();
  const body = html`<div class="head"><h1>Your billing</h1><p class="soft">${customer.email ?? customer.name ?? customer.id}</p></div>
${session.return_url && html`<p><a href="${session.return_url}">← Return</a></p>`}
${message && html`<p class="alert ${message.good ? 'good' : ''}" role="${message.good ? 'status' : 'alert'}">${message.text}</p>`}
<section class="card"><h2>Subscriptions</h2>
${subscriptions.length === 0 && html`<p class="soft">There is no subscription.</p>`}
${subscriptions.map((subscription) => subscriptionBlock(account, view, subscription))}
</section>
${methodCard(account, view, subscriptions)}
${view.configuration.features.invoice_history.enabled && invoiceCard(account, customer.id)}`;
  return layout({ title: 'Your billing', body, narrow: true });
}

/** The question before a subscription is canceled. */
export function cancelPage(view: PortalView, subscription: Subscription): Html {
  const at = view.configuration.features.subscription_cancel.mode === 'immediately';
  const end = day(periodEndOf(subscription));
  const text = at
    ? 'It ends at once.'
    : `You can use it until ${end}. What you use until then is billed with the last invoice.`;
  const body = html`<section class="card"><h1>Cancel your subscription?</h1>
<p class="soft">${text}</p>
<div class="actions">
<form method="post" action="/p/session/${view.session.id}/cancel">
<input type="hidden" name="subscription" value="${subscription.id}">
<button type="submit">Cancel subscription</button>
</form>
<a class="button quiet" href="/p/session/${view.session.id}?home=1">Keep it</a>
</div></section>`;
  const leadsTo = view.session.flow?.after_completion.redirect?.return_url;
  return layout({ title: 'Cancel your subscription?', body, narrow: true, ...(leadsTo ? { leadsTo } : {}) });
}

function subscriptionBlock(account: Account, view: PortalView, subscription: Subscription): Html {
  const { features } = view.configuration;
  const path = `/p/session/${view.session.id}`;
  const [tone, word] = statusPill(subscription);
  const canCancel =
    features.subscription_cancel.enabled && isLive(subscription) && subscription.cancel_at === null;
  const canRenew =
    features.subscription_cancel.enabled && isLive(subscription) && subscription.cancel_at !== null;
  return html`<div class="item"><p class="small">${nextStep(subscription)}</p><p><span class="pill ${tone}">${word}</span></p></div>
${subscription.items.data.map((item) => {
  const { name, offer } = offerOf(account, item.price);
  const times = isMetered(item) || item.quantity === 1 ? '' : ` × ${item.quantity}`;
  return html`<div class="plan"><p class="name">${name}${times}</p>${offerDetails(offer)}</div>`;
})}
${canCancel && html`<p class="actions"><a class="button quiet" href="${path}/cancel/${subscription.id}">Cancel subscription</a></p>`}
${canRenew && html`<form class="actions" method="post" action="${path}/renew"><input type="hidden" name="subscription" value="${subscription.id}"><button class="quiet" type="submit">Don’t cancel</button></form>`}`;
}

function nextStep(subscription: Subscription): string {
  if (subscription.ended_at !== null) return `Ended on ${day(subscription.ended_at)}.`;
  if (subscription.cancel_at !== null) return `Ends on ${day(subscription.cancel_at)}.`;
  if (subscription.status === 'paused') return 'Nothing is billed while it is paused.';
  return `Next invoice on ${day(periodEndOf(subscription))}.`;
}

function statusPill(subscription: Subscription): [tone: string, word: string] {
  if (isLive(subscription) && subscription.cancel_at !== null) return ['warn', 'ending'];
  const tones: Record<string, string> = { active: 'good', trialing: 'good', past_due: 'bad', unpaid: 'bad' };
  return [tones[subscription.status] ?? '', subscription.status.replaceAll('_', ' ')];
}

function methodCard(account: Account, view: PortalView, subscriptions: Subscription[]): Html {
  const live = subscriptions.find(isLive);
  const method = paymentMethodFor(account, live?.default_payment_method ?? null, view.customer.id);
  const opens = view.session.flow?.type === 'payment_method_update';
  return html`<section class="card"><h2>Payment method</h2>
<p>${method ? methodWords(method) : 'None yet.'}</p>
${
  view.configuration.features.payment_method_update.enabled &&
  html`<details${opens && html` open`}><summary>Change payment method</summary>
<form method="post" action="/p/session/${view.session.id}/payment_method">
${methodChoice()}
<button type="submit">Save</button>
</form></details>`
}
</section>`;
}

function invoiceCard(account: Account, customer: string): Html {
  const { data } = account.objects.list('invoice', { fields: { customer } }, { limit: invoicesMax });
  if (data.length === 0)
    return html`<section class="card"><h2>Invoices</h2><p class="soft">There is none yet.</p></section>`;
  return html`<section class="card"><h2>Invoices</h2><div class="scroll"><table>
<thead><tr><th scope="col">Date</th><th scope="col">Number</th><th scope="col">Status</th><th scope="col">Total</th></tr></thead>
<tbody>${data.map((invoice) => {
    const date = day(invoice.created);
    const link = invoice.hosted_invoice_url;
    return html`<tr><td>${date}</td><td>${link ? html`<a href="${link}">${invoice.number}</a>` : '–'}</td><td>${invoice.status}</td><td>${moneyWords(invoice.total, invoice.currency, 'country')}</td></tr>`;
  })}</tbody></table></div></section>`;
}
