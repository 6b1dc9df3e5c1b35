/** What the buyer sees who left Checkout. */

import { html } from '../../lib/html.js';
import type { Page } from './layout.js';

/** The page of an abandoned Checkout. */
export const errorPage: Page = {
  title: 'Nothing was charged',
  content: html`<div class="card">
<h1>Nothing was charged</h1>
<p>You left before the order was complete. You can start again whenever you like.</p>
<form method="post" action="/checkout"><button type="submit">Start again</button></form>
</div>`,
};
