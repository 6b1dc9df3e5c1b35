/** What the buyer sees after Checkout. */

import type { CheckoutProgress } from '../../customers/provision.js';
import { type Html, html } from '../../lib/html.js';
import { checkoutForm } from './checkout-form.js';
import { curlExample } from './home-page.js';
import type { Page, Site } from './layout.js';

/** How far the order is; `unavailable` when Stripe cannot be asked. */
export type Progress = CheckoutProgress | 'unavailable';

/** The page with the key, shown this once. */
export function keyPage(secret: string, baseUrl: string, offer: Site): Page {
  return {
    title: 'Your API key',
    content: html`<div class="card">
<h1>Your API key</h1>
<p>Copy it now and keep it like a password. <strong>It is shown this once</strong>: nobody can show it again, not even us.</p>
<code id="api-key">${secret}</code>
<h2>A first call</h2>
${curlExample(secret, baseUrl, offer)}
<p>With this key you can also sign in to <a href="/portal">your account</a>: your usage, your keys and your invoices.</p>
</div>`,
  };
}

/** The page before and after that. */
export function progressPage(
  progress: Progress,
  sessionId: string,
  checkoutSources: readonly string[],
): Page {
  const [title, content] = contentOf(progress, sessionId);
  return {
    title,
    leadsTo: checkoutSources,
    content: html`<div class="card"><h1>${title}</h1>${content}</div>`,
  };
}

function contentOf(progress: Progress, sessionId: string): [title: string, content: Html] {
  switch (progress) {
    case 'ready':
      return [
        'You are subscribed',
        html`<p>Thank you. One press makes your API key. It is shown once, so have a safe place ready for it.</p>
<form method="post" action="/success">
<input type="hidden" name="session_id" value="${sessionId}">
<button type="submit" class="big">Make my API key</button>
</form>`,
      ];
    case 'claimed':
      return [
        'Your key was made already',
        html`<p>A key is shown only once, and this order’s key has been shown.</p>
<p>If you have it, sign in to <a href="/portal">your account</a> to make another. If it is lost, ask us for a new one.</p>`,
      ];
    case 'open':
      return [
        'Your order is not complete yet',
        html`<p>Stripe has not confirmed this order. If you have just paid, wait a moment: this page looks again by itself.</p>`,
      ];
    case 'settling':
      return [
        'Your payment is on its way',
        html`<p>Your bank is still working on it. Your key can be made here as soon as it has arrived; keep this address.</p>`,
      ];
    case 'failed':
      return [
        'Your payment did not arrive',
        html`<p>Your bank refused it, so the subscription has ended. Try again with another way to pay.</p>
${checkoutForm('Start again')}`,
      ];
    case 'duplicate':
      return [
        'You were subscribed already',
        html`<p>This second order was cancelled, and nothing was charged for it. Your subscription and your keys stay as they
were: sign in to <a href="/portal">your account</a>.</p>`,
      ];
    case 'expired':
      return ['This order has expired', html`<p>Nothing was charged.</p>${checkoutForm('Start again')}`];
    case 'unknown':
      return [
        'There is no such order',
        html`<p>Check the address, or start again. Nothing is lost if you have paid.</p>
<p><a class="button quiet" href="/">To the start page</a></p>`,
      ];
    case 'unavailable':
      return [
        'One moment, please',
        html`<p>Your order is safe, but it cannot be looked up right now. This page tries again by itself.</p>`,
      ];
  }
}
