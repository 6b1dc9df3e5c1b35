/** The way to Stripe's Checkout page: one button. */

import { type Html, html } from '../../lib/html.js';

/** The form. Its page must name the sources of Checkout in `leadsTo`, because the answer leads there. */
export function checkoutForm(label: string, size: 'big' | 'normal' = 'normal'): Html {
  return html`<form method="post" action="/checkout"><button type="submit"${size === 'big' && html` class="big"`}>${label}</button></form>`;
}
