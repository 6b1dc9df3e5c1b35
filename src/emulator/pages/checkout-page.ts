/** Checkout's hosted page: what is bought on one side, the form of the buyer on the other. */

import { type Html, html } from '../../lib/html.js';
import type { Account } from '../account.js';
import { type CheckoutSession, dueNow, termsOf } from '../billing/checkout-session.js';
import { moneyWords } from '../billing/money-words.js';
import { day, layout } from './layout.js';
import { methodChoice } from './method-choice.js';
import { offerDetails, offerOf } from './offer.js';

/** What the buyer typed, when the page is shown again; and why. */
export interface CheckoutDraft {
  email?: string | undefined;
  name?: string | undefined;
  method?: string | undefined;
  /** What was wrong, as a sentence. */
  error?: string | undefined;
  /** The field at fault. */
  field?: 'email' | 'payment_method' | undefined;
}

/** The whole page of an open session. */
export function checkoutPage(account: Account, session: CheckoutSession, draft: CheckoutDraft = {}): Html {
  const [first] = session.line_items?.data ?? [];
  const name = first?.price ? offerOf(account, first.price).name : 'Subscription';
  const body = html`<div class="columns">
<section aria-label="Order">
${session.cancel_url && html`<p><a href="${session.cancel_url}">← Back</a></p>`}
<h1>Subscribe to ${name}</h1>
<p class="amount">${money(session, session.amount_total ?? 0)}</p>
<p class="soft">due today</p>
${items(account, session)}
</section>
<section class="card" aria-label="Your details">
${buyerForm(account, session, draft)}
</section>
</div>`;
  return layout({ title: `Subscribe to ${name}`, body, leadsTo: session.success_url });
}

/** True when the session may be completed without a payment method. */
export function mayGoWithout(session: CheckoutSession): boolean {
  return session.payment_method_collection === 'if_required' && session.amount_total === 0;
}

/** The email the session already knows: the customer's, or the one it was made with. */
export function knownEmail(account: Account, session: CheckoutSession): string | null {
  const customer = session.customer ? account.objects.get('customer', session.customer) : undefined;
  return customer?.email ?? session.customer_email;
}

function items(account: Account, session: CheckoutSession): Html {
  const { trial_end: trialEnd, trial_period_days: trialDays } = termsOf(session);
  const trial = trialDays
    ? `Free for ${trialDays} days.`
    : trialEnd
      ? `Free until ${day(trialEnd)}.`
      : undefined;
  const lines = (session.line_items?.data ?? []).flatMap(({ price, quantity }) => {
    if (!price) return [];
    const { name, offer } = offerOf(account, price);
    const today = trial ? 0 : dueNow({ price, quantity: quantity ?? undefined });
    const times = quantity === null || quantity === 1 ? '' : ` × ${quantity}`;
    return html`<div class="item"><p class="name">${name}${times}</p><p>${money(session, today)}</p></div>
${offerDetails(offer)}`;
  });
  const metered = session.line_items?.data.some((line) => line.price?.recurring?.usage_type === 'metered');
  return html`${lines}
<div class="item total"><p>Total due today</p><p>${money(session, session.amount_total ?? 0)}</p></div>
${trial && html`<p class="soft small">${trial}</p>`}
${metered && html`<p class="soft small">What you use is billed at the end of each period.</p>`}`;
}

function buyerForm(account: Account, session: CheckoutSession, draft: CheckoutDraft): Html {
  const known = knownEmail(account, session);
  const invalid = draft.field === 'email';
  return html`<form method="post" action="/c/pay/${session.id}">
${draft.error && html`<p class="alert" role="alert">${draft.error}</p>`}
<h2>Your details</h2>
<label for="email">Email</label>
<input id="email" name="email" type="email" required autocomplete="email" maxlength="512" placeholder="you@example.com"
  value="${draft.email ?? known ?? ''}"${known !== null && html` readonly`}${invalid && html` aria-invalid="true"`}>
<label for="name">Name <span class="soft">(optional)</span></label>
<input id="name" name="name" type="text" autocomplete="name" maxlength="256" value="${draft.name ?? ''}">
${methodChoice({ chosen: draft.method, optional: mayGoWithout(session) })}
<button class="wide" type="submit">Subscribe</button>
<p class="soft small actions">By subscribing you allow future payments under these terms. You can cancel at any time.</p>
</form>`;
}

function money(session: CheckoutSession, amountMinor: number): string {
  return moneyWords(amountMinor, session.currency ?? 'usd', 'country');
}
