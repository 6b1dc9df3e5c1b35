/** `/i/:id`: an invoice as its customer sees it, and may pay it. */

import { type Html, html } from '../../lib/html.js';
import type { Account } from '../account.js';
import { markPaid } from '../billing/collection.js';
import type { Invoice } from '../billing/invoice-document.js';
import { moneyWords } from '../billing/money-words.js';
import type { PageAnswer, PageRequest, PageRoute } from '../page-route.js';
import { day, layout, notice } from './layout.js';
import { chosenMethod, methodChoice } from './method-choice.js';

function invoicePage(invoice: Invoice, error?: string): Html {
  const money = (amount: number) => moneyWords(amount, invoice.currency, 'country');
  const open = invoice.status === 'open';
  const due = invoice.due_date === null ? '' : `, due on ${day(invoice.due_date)}`;
  const body = html`<section class="card">
<div class="head"><h1>Invoice ${invoice.number}</h1><span class="pill ${open ? 'warn' : 'good'}">${invoice.status}</span></div>
<p class="amount">${money(invoice.amount_due)}</p>
<p class="soft">${invoice.customer_email ?? ''}, ${day(invoice.created)}${due}</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Description</th><th scope="col">Amount</th></tr></thead>
<tbody>${invoice.lines.data.map((line) => html`<tr><td>${line.description}<br><span class="soft small">${day(line.period.start)} – ${day(line.period.end)}</span></td><td>${money(line.amount)}</td></tr>`)}
<tr class="total"><td>Total</td><td>${money(invoice.total)}</td></tr>
${invoice.starting_balance !== 0 && html`<tr><td>Balance from before</td><td>${money(invoice.starting_balance)}</td></tr>`}
<tr class="total"><td>Due</td><td>${money(invoice.amount_remaining)}</td></tr>
</tbody></table></div>
</section>
${
  open &&
  html`<section class="card"><form method="post" action="/i/${invoice.id}">
${error && html`<p class="alert" role="alert">${error}</p>`}
${methodChoice()}
<button class="wide" type="submit">Pay ${money(invoice.amount_remaining)}</button>
</form></section>`
}`;
  return layout({ title: `Invoice ${invoice.number}`, body, narrow: true });
}

function show(account: Account, request: PageRequest): PageAnswer {
  const invoice = finalInvoice(account, request);
  return invoice ? { status: 200, html: invoicePage(invoice) } : unknownInvoice();
}

function pay(account: Account, request: PageRequest): PageAnswer {
  const invoice = finalInvoice(account, request);
  if (!invoice) return unknownInvoice();
  const here = { location: `/i/${invoice.id}` };
  if (invoice.status !== 'open') return here;
  const method = chosenMethod(request.form.payment_method);
  if (!method) return { status: 422, html: invoicePage(invoice, 'Please choose a payment method.') };
  if (method.failure) return { status: 402, html: invoicePage(invoice, method.failure.message) };
  markPaid(account, invoice);
  return here;
}

function finalInvoice(account: Account, request: PageRequest): Invoice | undefined {
  const invoice = account.objects.get('invoice', request.path.id ?? '');
  return invoice?.status === 'draft' ? undefined : invoice;
}

function unknownInvoice(): PageAnswer {
  return notice(404, 'There is no such invoice', 'The link is incomplete, or the invoice is not final yet.');
}

/** The invoice page and its form. */
export const invoicePageRoutes: readonly PageRoute[] = [
  { method: 'get', path: '/i/:id', handle: show },
  { method: 'post', path: '/i/:id', handle: pay },
];
