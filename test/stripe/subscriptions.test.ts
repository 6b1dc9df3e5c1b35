/** Subscriptions of a shape that the embedded Stripe never gives them. */

import { describe, expect, it } from 'vitest';
import { openCannedStripe } from '../support/canned-stripe.js';

const item = (id: string, meter: string | null) => ({
  ...{ id, object: 'subscription_item', current_period_start: 1, current_period_end: 2 },
  price: { id: `price_${id}`, recurring: { interval: 'month', interval_count: 1, meter } },
});
const list = (url: string, hasMore: boolean, ...data: object[]) => ({
  ...{ object: 'list', url, has_more: hasMore, data },
});
const subscription = {
  ...{ id: 'sub_1', object: 'subscription', customer: 'cus_1', status: 'active' },
  ...{ billing_cycle_anchor: 1, cancel_at_period_end: false, created: 1 },
  items: list('/v1/subscription_items', true, item('si_1', null), item('si_2', 'mtr_other')),
};

describe('a subscription with more items than Stripe puts into it', () => {
  it.each([
    ['is ours by one of the others', 'mtr_1', { id: 'sub_1', itemId: 'si_13', priceId: 'price_si_13' }],
    ['is not ours where none of them is', 'mtr_other', undefined],
  ])('%s', async (_, meter, read) => {
    const pages = [
      subscription,
      list('/v1/subscription_items', true, item('si_11', null), item('si_12', 'mtr_other')),
      list('/v1/subscription_items', false, item('si_13', meter)),
    ];
    const { billing, requests } = await openCannedStripe((before) => ({
      ...{ status: 200, body: JSON.stringify(pages[before]) },
    }));
    const found = await billing.findSubscription('sub_1');
    if (read) expect(found).toMatchObject(read);
    else expect(found).toBeUndefined();
    expect(requests()).toBe(3);
  });
});
