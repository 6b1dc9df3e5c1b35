/** The portal's chart of usage by day, and the table that says the same in words. */

import type { Period } from '../../domain/subscription.js';
import { type Html, html } from '../../lib/html.js';
import { countWords, dayWords, numberWords, plural } from './words.js';

/** Usage of one UTC day. */
export interface UsageDay {
  dayMs: number;
  units: number;
  requests: number;
}

/** Usage by day, oldest first, days without any included. */
export interface PortalUsage {
  /** The running billing period; `undefined` for who was never subscribed, whose last days are shown. */
  period: Period | undefined;
  days: UsageDay[];
  units: number;
}

/** The card. The chart appears where scripts run, and then folds the table. */
export function usageCard({ period, days, units }: PortalUsage, unit: string): Html {
  const span = period ? `since ${dayWords(period.startMs)}` : `in the last ${countWords(days.length, 'day')}`;
  const rows = days
    .toReversed()
    .map(
      ({ dayMs, units, requests }) =>
        html`<tr data-day="${dayMs / 1000}" data-units="${units}"><th scope="row">${dayWords(dayMs)}</th><td class="number">${numberWords(units)}</td><td class="number">${numberWords(requests)}</td></tr>`,
    );
  return html`<section class="card" aria-labelledby="usage">
<h2 id="usage">Usage</h2>
<p class="amount">${numberWords(units)} <small>${units === 1 ? unit : plural(unit)} ${span}</small></p>
<div id="usage-chart" class="chart" role="img" aria-label="Chart of your usage by day. The table below says the same." hidden></div>
<details open><summary>By day</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Usage by day"><table id="usage-days">
<caption>Days are days in UTC.</caption>
<thead><tr><th scope="col">Day</th><th scope="col" class="number">Units</th><th scope="col" class="number">Requests</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
</details>
</section>`;
}
