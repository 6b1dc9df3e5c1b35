/** Prices on the hosted pages: the words for one, and its tiers as a table. */

import { type Html, html } from '../../lib/html.js';
import type { Account } from '../account.js';
import { type Offer, offerWords, tierRows } from '../billing/money-words.js';
import type { Stored } from '../object-kinds.js';

/** A price as an offer, in the words of its product. */
export function offerOf(account: Account, price: Stored<'price'>): { name: string; offer: Offer } {
  const product = account.objects.get('product', price.product);
  return {
    name: product?.name ?? price.product,
    offer: {
      terms: price,
      currency: price.currency,
      rhythm: price.recurring ?? { interval: 'month', interval_count: 1 },
      metered: price.recurring?.usage_type === 'metered',
      unit: product?.unit_label ?? 'unit',
    },
  };
}

/** The offer in words and, where it has tiers, their table. */
export function offerDetails(offer: Offer): Html {
  return html`<p class="soft small">${offerWords(offer)}</p>${tierTable(offer)}`;
}

function tierTable(offer: Offer): Html | undefined {
  const rows = tierRows(offer);
  if (rows.length === 0) return undefined;
  const hasFlat = rows.some((row) => row.flat !== null);
  const rule =
    offer.terms.tiers_mode === 'volume'
      ? `All ${offer.unit}s of a period are billed at the tier that their number reaches.`
      : 'Each tier has its own price.';
  return html`<div class="scroll"><table>
<caption>${rule}</caption>
<thead><tr><th scope="col">Per period</th>${hasFlat && html`<th scope="col">Flat fee</th>`}<th scope="col">Each</th></tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><td>${row.units}</td>${hasFlat && html`<td>${row.flat ?? '–'}</td>`}<td>${row.each}</td></tr>`,
  )}</tbody>
</table></div>`;
}
