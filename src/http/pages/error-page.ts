/** What the buyer sees who left Checkout. */

import { html } from '../../lib/html.js';
import { checkoutForm } from './checkout-form.js';
import type { Page } from './layout.js';

/** The page of an abandoned Checkout. */
export function errorPage(checkoutSources: readonly string[]): Page {
  return {
    title: 'Nothing was charged',
    leadsTo: checkoutSources,
    content: html`<div class="card">
<h1>Nothing was charged</h1>
<p>You left before the order was complete. You can start again whenever you like.</p>
<div class="actions">${checkoutForm('Start again')}<a class="button quiet" href="/">What it costs</a></div>
</div>`,
  };
}
