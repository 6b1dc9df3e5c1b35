/** Stripe's test cards and test bank accounts, and how each behaves (https://docs.stripe.com/testing). */

/** When and how a payment method lets its owner down. */
export interface Failure {
  /** `attach`: refused at once. `charge`: accepted, then every charge fails. */
  when: 'attach' | 'charge';
  code: string;
  declineCode: string | null;
  message: string;
}

/** One test payment method. */
export interface TestPaymentMethod {
  /** The ready-made id, `pm_card_visa`. */
  id: string;
  /** The number a form takes. */
  number: string;
  type: 'card' | 'us_bank_account';
  /** Card brand, or the bank. */
  brand: string;
  /** What happens, for the person who chooses. */
  story: string;
  failure: Failure | null;
}

const declined = 'Your card was declined.';

function decline(
  when: Failure['when'],
  declineCode: string,
  message = declined,
  code = 'card_declined',
): Failure {
  return { when, code, declineCode, message };
}

/** All of them, the good one first. The hosted pages offer them in this order. */
export const testPaymentMethods: readonly TestPaymentMethod[] = [
  {
    id: 'pm_card_visa',
    number: '4242424242424242',
    type: 'card',
    brand: 'visa',
    story: 'Every payment succeeds',
    failure: null,
  },
  {
    id: 'pm_card_mastercard',
    number: '5555555555554444',
    type: 'card',
    brand: 'mastercard',
    story: 'Every payment succeeds',
    failure: null,
  },
  {
    id: 'pm_card_chargeCustomerFail',
    number: '4000000000000341',
    type: 'card',
    brand: 'visa',
    story: 'Accepted now; invoices fail later',
    failure: decline('charge', 'generic_decline'),
  },
  {
    id: 'pm_card_visa_chargeDeclined',
    number: '4000000000000002',
    type: 'card',
    brand: 'visa',
    story: 'Declined right away',
    failure: decline('attach', 'generic_decline'),
  },
  {
    id: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    number: '4000000000009995',
    type: 'card',
    brand: 'visa',
    story: 'Declined right away: insufficient funds',
    failure: decline('attach', 'insufficient_funds', 'Your card has insufficient funds.'),
  },
  {
    id: 'pm_card_chargeDeclinedExpiredCard',
    number: '4000000000000069',
    type: 'card',
    brand: 'visa',
    story: 'Declined right away: the card has expired',
    failure: { when: 'attach', code: 'expired_card', declineCode: null, message: 'Your card has expired.' },
  },
  {
    id: 'pm_usBankAccount_success',
    number: '000123456789',
    type: 'us_bank_account',
    brand: 'STRIPE TEST BANK',
    story: 'Bank debit: confirmed a minute later',
    failure: null,
  },
  {
    id: 'pm_usBankAccount_insufficientFunds',
    number: '000222222227',
    type: 'us_bank_account',
    brand: 'STRIPE TEST BANK',
    story: 'Bank debit: bounces a minute later',
    failure: {
      when: 'charge',
      code: 'payment_method_provider_decline',
      declineCode: 'insufficient_funds',
      message: 'The customer’s bank account has insufficient funds.',
    },
  },
];

/** The last four digits, which tell all test payment methods apart. */
export function last4Of(method: TestPaymentMethod): string {
  return method.number.slice(-4);
}

/** The test payment method with these last digits and type. */
export function testMethodByLast4(type: string, last4: string | null): TestPaymentMethod | undefined {
  return testPaymentMethods.find((method) => method.type === type && last4Of(method) === last4);
}
