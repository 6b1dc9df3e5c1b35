/** What the start page says of what is sold, whatever it is. */

import { describe, expect, it } from 'vitest';
import { apiRoute, exampleCall, type RouteRule } from '../../src/domain/route.js';
import { homePage, type Offer } from '../../src/http/pages/home-page.js';

const offer: Offer = {
  productName: '<b>Words & Co</b>',
  unit: 'token',
  price: '0.00002',
  currency: 'usd',
  interval: 'month',
  firstCall: { method: 'GET', path: '/api' },
};

const rule: RouteRule = { ...apiRoute, path: '/v1/models/:id' };

function textOf(over: Partial<Offer> = {}): string {
  return String(homePage({ ...offer, ...over }, 'https://api.example.com', []).content);
}

describe('the start page', () => {
  it('speaks of calls where a key is sent, and of units where something is paid', () => {
    const text = textOf();
    expect(text).toContain('Send the key with every call');
    expect(text).toContain('US$0.00002 <small>per token');
    expect(text).toContain('&lt;b&gt;Words &amp; Co&lt;/b&gt;');
    expect(text).not.toContain('<b>');
  });

  it.each<[string, RouteRule[], string]>([
    ['nothing else is named', [], 'YOUR_API_KEY" https://api.example.com/api<'],
    ['a route is named', [rule], 'YOUR_API_KEY" https://api.example.com/v1/models/:id<'],
    [
      'the first routes are free',
      [
        { ...rule, free: true },
        { ...rule, path: '/v2{/*rest}' },
      ],
      '.com/v2<',
    ],
    ['calls send something', [{ ...rule, methods: ['POST'] }], 'curl -X POST -H "Authorization'],
    ['calls may also send something', [{ ...rule, methods: ['POST', 'GET'] }], 'curl -H "Authorization'],
  ])('shows a call that is sold where %s', (_name, rules, shown) => {
    expect(textOf({ firstCall: exampleCall(rules) })).toContain(shown);
  });
});
