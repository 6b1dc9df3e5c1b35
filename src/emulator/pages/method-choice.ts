/** The choice of a test payment method, as a group of radio buttons. */

import { type Html, html } from '../../lib/html.js';
import { brandWords } from '../billing/payment-method.js';
import { last4Of, type TestPaymentMethod, testPaymentMethods } from '../billing/test-payment-methods.js';

/** The value of the choice to give none. */
export const withoutMethod = 'none';

/** The radio buttons. `chosen` is a test payment method's id; the good card is chosen unless told. */
export function methodChoice(options: { chosen?: string | undefined; optional?: boolean } = {}): Html {
  const chosen = options.chosen ?? testPaymentMethods[0]?.id;
  return html`<fieldset>
<legend>Pay with a test payment method</legend>
${testPaymentMethods.map((method) => choice(method, method.id === chosen))}
${options.optional && emptyChoice(chosen === withoutMethod)}
</fieldset>`;
}

/** The test payment method a form has sent; the good card where it sent none. Undefined for one that nobody knows. */
export function chosenMethod(value: string | undefined): TestPaymentMethod | undefined {
  return value === undefined
    ? testPaymentMethods[0]
    : testPaymentMethods.find((method) => method.id === value);
}

function choice(method: TestPaymentMethod, checked: boolean): Html {
  const name = method.type === 'card' ? brandWords(method.brand) : 'Bank account';
  const [tone, word] = outcome(method);
  return html`<label class="choice">
<input type="radio" name="payment_method" value="${method.id}"${checked && html` checked`}>
<span class="digits">${name} <span aria-hidden="true">••••</span> ${last4Of(method)}</span>
<span class="pill ${tone}">${word}</span>
<span class="story">${method.story}</span>
</label>`;
}

function emptyChoice(checked: boolean): Html {
  return html`<label class="choice">
<input type="radio" name="payment_method" value="${withoutMethod}"${checked && html` checked`}>
<span>No payment method yet</span><span class="pill">skip</span>
<span class="story">Nothing is due today; it can be added later</span>
</label>`;
}

function outcome(method: TestPaymentMethod): [tone: string, word: string] {
  if (method.failure?.when === 'attach') return ['bad', 'declined'];
  if (method.failure) return ['warn', 'fails later'];
  return method.type === 'card' ? ['good', 'works'] : ['good', 'works later'];
}
