/** The start page: what the API costs, and how to subscribe. */

import { costMinor, minorFromMajor } from '../../domain/money.js';
import type { Interval } from '../../lib/calendar.js';
import { type Html, html } from '../../lib/html.js';
import { checkoutForm } from './checkout-form.js';
import type { Page, Site } from './layout.js';
import { countWords, minorWords, moneyWords, plural } from './words.js';

/** What is sold, at which price. */
export interface Offer extends Site {
  /** What one unit is called: `call`. */
  unit: string;
  /** Price of one unit, decimal string in major units. */
  price: string;
  currency: string;
  interval: Interval;
}

/** So many units are priced as examples. */
const examples = [1_000, 10_000, 100_000];

/** The page. */
export function homePage(offer: Offer, baseUrl: string, checkoutSources: readonly string[]): Page {
  const { unit, interval } = offer;
  return {
    title: offer.productName,
    width: 'wide',
    leadsTo: checkoutSources,
    content: html`<div class="columns">
<section aria-labelledby="product">
<h1 id="product">${offer.productName}</h1>
<p class="amount">${moneyWords(offer.price, offer.currency)} <small>per ${unit}</small></p>
<p>Pay for what you use: no fixed fee, no minimum. Your ${plural(unit)} are counted, and billed once at the end of each ${interval}. Today costs nothing.</p>
<div class="actions">${checkoutForm('Subscribe', 'big')}<span class="soft small">Cancel at any time.</span></div>
</section>
${costs(offer)}
</div>
<section class="card after" aria-labelledby="how">
<h2 id="how">How it works</h2>
<ol class="steps">
<li>Subscribe on Stripe’s secure page. It leads you back here.</li>
<li>One press makes your API key. It is shown once, so keep it in a safe place.</li>
<li>Send the key with every call:</li>
</ol>
${curlExample('YOUR_API_KEY', baseUrl, offer)}
<p class="soft small">See what you have used, make and revoke keys, and find your invoices in <a href="/portal">your account</a>.</p>
</section>`,
  };
}

/** A first call, to be copied into a terminal. */
export function curlExample(
  secret: string,
  baseUrl: string,
  { firstCall: { method, path } }: Pick<Site, 'firstCall'>,
): Html {
  const how = method === 'GET' ? '' : ` -X ${method}`;
  return html`<pre><code>curl${how} -H "Authorization: Bearer ${secret}" ${baseUrl}${path}</code></pre>`;
}

function costs({ unit, price, currency, interval }: Offer): Html {
  const unitAmountMinor = minorFromMajor(price, currency);
  const rows = examples.map(
    (units) =>
      html`<tr><th scope="row">${countWords(units, unit)}</th><td class="number">${minorWords(costMinor(units, unitAmountMinor), currency)}</td></tr>`,
  );
  return html`<section class="card" aria-labelledby="costs">
<h2 id="costs">What it comes to</h2>
<table>
<thead><tr><th scope="col">In a ${interval}</th><th scope="col" class="number">You pay</th></tr></thead>
<tbody><tr><th scope="row">${countWords(0, unit)}</th><td class="number">${moneyWords('0', currency)}</td></tr>${rows}</tbody>
</table>
<p class="soft small">Every ${unit} costs the same, the first and the millionth. Taxes may be added.</p>
</section>`;
}
