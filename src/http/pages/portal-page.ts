/** The customer's own page: what was used, what it will cost, and the keys. */

import type { Access } from '../../access/access.js';
import type { ApiKey } from '../../domain/key.js';
import { endOf, isLive, type Subscription } from '../../domain/subscription.js';
import { decimal, plain } from '../../lib/decimal.js';
import { type Html, html } from '../../lib/html.js';
import type { InvoiceReport } from '../../reports/invoice.js';
import type { Offer } from './home-page.js';
import type { Page } from './layout.js';
import { type Notice, noticeBlock, portalFrame, tokenField } from './portal-frame.js';
import { type KeyDraft, keysCard } from './portal-keys.js';
import { type PortalUsage, usageCard } from './portal-usage.js';
import { countWords, dayWords, moneyWords } from './words.js';

/** Everything that the page shows. */
export interface PortalView {
  offer: Offer;
  nowMs: number;
  /** E-mail or, without one, Stripe's id. */
  customerName: string;
  access: Access;
  subscription: Subscription | undefined;
  usage: PortalUsage;
  /** `none`: there is no invoice to come. `unavailable`: Stripe cannot be asked. */
  invoice: InvoiceReport | 'none' | 'unavailable';
  keys: ApiKey[];
  /** What every form carries. */
  token: string;
  draft: KeyDraft;
  notice?: Notice | undefined;
  checkoutSources: readonly string[];
}

/** The page. */
export function portalPage(view: PortalView): Page {
  return {
    ...portalFrame(view.token),
    title: 'Your account',
    width: 'wide',
    // Only the way to Checkout leads elsewhere.
    leadsTo: maySubscribe(view) ? view.checkoutSources : [],
    scripts: ['uplot.js', 'usage-chart.js'],
    styles: ['uplot.css'],
    content: html`<h1>Your account</h1>
<p class="facts"><span>${view.customerName}</span>${statusPill(view)}<span class="soft">${nextStep(view)}</span></p>
${noticeBlock(view.notice)}
${accessNotice(view)}
${usageCard(view.usage, view.offer.unit)}
${invoiceCard(view)}
${keysCard(view)}`,
  };
}

/** Stripe would bill the same usage on a second subscription, so there is none to be had beside one that goes on. */
function maySubscribe({ access, subscription }: PortalView): boolean {
  const goesOn = subscription !== undefined && isLive(subscription);
  return !access.allowed && access.code === 'subscription_inactive' && !goesOn;
}

/** It gives no access any more, but Stripe has not ended it yet. */
function isEnding(subscription: Subscription, nowMs: number): boolean {
  return isLive(subscription) && (subscription.closingAtMs !== null || endOf(subscription) <= nowMs);
}

function statusPill({ access, subscription, nowMs }: PortalView): Html {
  if (!access.allowed && access.code === 'customer_suspended')
    return html`<span class="pill bad">suspended</span>`;
  if (!subscription) return html`<span class="pill">not subscribed</span>`;
  if (isEnding(subscription, nowMs)) return html`<span class="pill bad">ending</span>`;
  const tone = !access.allowed ? 'bad' : access.warning ? 'warn' : 'good';
  return html`<span class="pill ${tone}">${statusWords(subscription)}</span>`;
}

function nextStep({ access, subscription, usage, nowMs }: PortalView): string | undefined {
  if (!subscription) return undefined;
  const endMs = endOf(subscription);
  if (endMs < Number.POSITIVE_INFINITY) return `${endMs <= nowMs ? 'Ended' : 'Ends'} on ${dayWords(endMs)}.`;
  return access.allowed && usage.period ? `Next invoice on ${dayWords(usage.period.endMs)}.` : undefined;
}

/** What to do when calls are refused, or soon will be. */
function accessNotice(view: PortalView): Html | undefined {
  const { access } = view;
  if (access.allowed) {
    return access.warning
      ? html`<div class="notice warn" role="status"><p><strong>Your last payment has failed.</strong> Your calls still work until ${dayWords(access.untilMs)}. <a href="/portal/billing">Pay or change the card</a></p></div>`
      : undefined;
  }
  switch (access.code) {
    case 'customer_suspended':
      return html`<div class="notice bad" role="status"><p><strong>Your account is suspended, so calls are refused.</strong> Please ask us why.</p></div>`;
    case 'payment_required':
      return html`<div class="notice bad" role="status"><p><strong>Your last invoice is not paid, so calls are refused.</strong> Your keys work again as soon as it is.</p>
<p><a class="button" href="/portal/billing">Pay the invoice</a></p></div>`;
    case 'subscription_inactive':
      return inactiveNotice(view);
  }
}

function inactiveNotice(view: PortalView): Html {
  const { subscription, nowMs, token } = view;
  if (maySubscribe(view) || !subscription) {
    return html`<div class="notice warn" role="status"><p><strong>You have no active subscription, so calls are refused.</strong> Subscribe, and the keys below work again.</p>
<form method="post" action="/portal/subscribe">${tokenField(token)}<button type="submit">Subscribe</button></form></div>`;
  }
  if (isEnding(subscription, nowMs)) {
    return html`<div class="notice warn" role="status"><p><strong>Your subscription is ending, so calls are refused.</strong> As soon as Stripe has closed it you can subscribe again here, and the keys below work on.</p></div>`;
  }
  return html`<div class="notice warn" role="status"><p><strong>Your subscription is ${statusWords(subscription)}, so calls are refused.</strong> Please ask us how it can go on.</p></div>`;
}

function statusWords({ status }: Subscription): string {
  return status.replaceAll('_', ' ');
}

function invoiceCard({ invoice, offer }: PortalView): Html {
  return html`<section class="card" aria-labelledby="invoice">
<h2 id="invoice">Coming invoice</h2>
${invoiceText(invoice, offer.unit)}
<p><a class="button quiet" href="/portal/billing">Invoices, card and cancellation</a></p>
</section>`;
}

function invoiceText(invoice: PortalView['invoice'], unit: string): Html {
  if (invoice === 'none') return html`<p class="soft">There is no invoice to come.</p>`;
  if (invoice === 'unavailable') {
    return html`<p role="status"><strong>Stripe cannot be asked right now</strong>, so the amount is not shown. The usage above is counted here and is complete.</p>`;
  }
  const { currency, lines, amount_due, pending_units, period } = invoice;
  const rows = lines.map(
    ({ description, quantity, amount }) =>
      html`<tr><td>${description}</td><td class="number">${quantity.toLocaleString('en-GB')}</td><td class="number">${moneyWords(amount, currency)}</td></tr>`,
  );
  const waiting =
    pending_units > 0 &&
    html`<p class="soft small">${countWords(pending_units, unit)} of the last moments ${pending_units === 1 ? 'is' : 'are'} still on the way to this invoice.</p>`;
  return html`<p class="amount">${moneyWords(amount_due, currency)} <small>due so far</small></p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="invoice"><table>
<thead><tr><th scope="col">Description</th><th scope="col" class="number">Quantity</th><th scope="col" class="number">Amount</th></tr></thead>
<tbody>${rows}${balanceRow(invoice)}</tbody>
<tfoot><tr><th scope="row" colspan="2">Due so far</th><td class="number">${moneyWords(amount_due, currency)}</td></tr></tfoot>
</table></div>
${waiting}
<p class="soft small">As Stripe computes it now. It is billed after ${dayWords(Date.parse(period.end))}.</p>`;
}

/** Stripe's lines are not all that is due: taxes come on top, and what is too little to be charged waits for the next invoice. */
function balanceRow({ lines, amount_due, currency }: InvoiceReport): Html | undefined {
  const difference = lines.reduce((rest, { amount }) => rest.minus(amount), decimal(amount_due));
  if (difference.eq(0)) return undefined;
  const what = difference.lt(0)
    ? 'Credit, discounts and what is carried over'
    : 'Taxes and what was carried over';
  return html`<tr><td colspan="2">${what}</td><td class="number">${moneyWords(plain(difference), currency)}</td></tr>`;
}
