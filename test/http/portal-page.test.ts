/** What the portal says in the states that a subscription can be in. */

import { describe, expect, it } from 'vitest';
import type { Access } from '../../src/access/access.js';
import { type PortalView, portalPage } from '../../src/http/pages/portal-page.js';
import { createSubscription } from '../support/rows.js';

const subscription = createSubscription();
const allowed: Access = { allowed: true, subscription, warning: null };

function textOf(view: Partial<PortalView>): string {
  const page = portalPage({
    offer: {
      ...{ productName: 'Fire API', unit: 'call', price: '1.00', currency: 'usd', interval: 'month' },
      firstCall: { method: 'GET', path: '/api' },
    },
    nowMs: Date.UTC(2026, 5, 10),
    customerName: 'ada@example.com',
    access: allowed,
    subscription,
    usage: { period: subscription.period, days: [], units: 0 },
    invoice: 'none',
    keys: [],
    token: 'token',
    draft: { order: 'order', name: '' },
    checkoutSources: ['https:'],
    ...view,
  });
  return `${page.leadsTo?.join(' ')}\n${page.content}`;
}

describe('the portal', () => {
  const states: [name: string, view: Partial<PortalView>, said: string[]][] = [
    ['active', {}, ['<span class="pill good">active</span>', 'Next invoice on 1 July 2026.']],
    [
      'late with a payment',
      {
        access: { allowed: true, subscription, warning: 'past_due', untilMs: Date.UTC(2026, 5, 24) },
        subscription: createSubscription({ status: 'past_due' }),
      },
      [
        '<span class="pill warn">past due</span>',
        'Your last payment has failed',
        'Your calls still work until 24 June 2026.',
        '/portal/billing',
      ],
    ],
    [
      'unpaid',
      {
        access: { allowed: false, code: 'payment_required' },
        subscription: createSubscription({ status: 'unpaid' }),
      },
      ['<span class="pill bad">unpaid</span>', 'Your last invoice is not paid', 'Pay the invoice'],
    ],
    [
      'suspended',
      { access: { allowed: false, code: 'customer_suspended' } },
      ['<span class="pill bad">suspended</span>', 'Please ask us why'],
    ],
    [
      'ended',
      {
        access: { allowed: false, code: 'subscription_inactive' },
        subscription: createSubscription({ status: 'canceled', endedAtMs: Date.UTC(2026, 5, 9) }),
      },
      ['Ended on 9 June 2026.', 'You have no active subscription', 'action="/portal/subscribe"'],
    ],
    [
      'never subscribed',
      {
        access: { allowed: false, code: 'subscription_inactive' },
        subscription: undefined,
        usage: { period: undefined, days: [{ dayMs: 0, units: 0, requests: 0 }], units: 0 },
      },
      ['not subscribed', 'in the last 1 day', 'Subscribe, and the keys below work again'],
    ],
    [
      'paused',
      {
        access: { allowed: false, code: 'subscription_inactive' },
        subscription: createSubscription({ status: 'paused' }),
      },
      ['<span class="pill bad">paused</span>', 'Your subscription is paused', 'Please ask us'],
    ],
    [
      'being cancelled by the operator',
      {
        access: { allowed: false, code: 'subscription_inactive' },
        subscription: createSubscription({ closingAtMs: Date.UTC(2026, 5, 9) }),
      },
      ['<span class="pill bad">ending</span>', 'Your subscription is ending', 'subscribe again here'],
    ],
    [
      'at the end of his subscription, which Stripe has not told of yet',
      {
        access: { allowed: false, code: 'subscription_inactive' },
        subscription: createSubscription({ cancelAtMs: Date.UTC(2026, 5, 9) }),
      },
      ['<span class="pill bad">ending</span>', 'Ended on 9 June 2026.', 'Your subscription is ending'],
    ],
    [
      'to be cancelled',
      { subscription: createSubscription({ cancelAtPeriodEnd: true }) },
      ['Ends on 1 July 2026.'],
    ],
    [
      'cancelled from a day on',
      { subscription: createSubscription({ cancelAtMs: Date.UTC(2026, 5, 20) }) },
      ['Ends on 20 June 2026.'],
    ],
  ];
  it.each(states)('tells a customer who is %s what to know and do', (_name, view, said) => {
    const text = textOf(view);
    for (const words of said) expect(text).toContain(words);
    expect(text.startsWith('https:')).toBe(text.includes('action="/portal/subscribe"'));
  });

  it('shows what of an invoice is on its way', () => {
    const invoice = {
      customer: 'cus_1',
      currency: 'jpy',
      period: { start: '2026-06-01T00:00:00Z', end: '2026-07-01T00:00:00Z' },
      lines: [{ description: '<b>1,000 calls</b>', quantity: 1000, amount: '5000' }],
      amount_due: '5000',
      pending_units: 1,
    };
    const text = textOf({ invoice });
    expect(text).toContain('JP¥5,000 <small>due so far');
    expect(text).toContain('&lt;b&gt;1,000 calls');
    expect(text).toContain('1 call of the last moments is still on the way');
    expect(text).toContain('billed after 1 July 2026');
    expect(text).not.toContain('carried over');
  });

  it('shows an invoice whose amounts add up, whatever Stripe puts beside the lines', () => {
    const invoice = {
      customer: 'cus_1',
      currency: 'usd',
      period: { start: '2026-06-01T00:00:00Z', end: '2026-07-01T00:00:00Z' },
      lines: [{ description: '7 calls', quantity: 7, amount: '0.35' }],
      amount_due: '0.00',
      pending_units: 0,
    };
    expect(textOf({ invoice })).toMatch(/Credit, discounts and what is carried over<.*-US\$0\.35</);
    expect(textOf({ invoice: { ...invoice, amount_due: '0.42' } })).toMatch(
      /Taxes and what was carried over<.*>US\$0\.07</,
    );
  });
});
