/** Two orders of one customer, whichever is looked at first and however late Stripe's lists are: one subscription stays. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckoutProgress, provisionCheckout } from '../../src/customers/provision.js';
import type { CustomerBilling } from '../../src/domain/billing.js';
import { isLive, type Subscription } from '../../src/domain/subscription.js';
import { createFakeHost } from '../support/host.js';
import { createSubscription } from '../support/rows.js';
import { openTestStore } from '../support/store.js';

/** A Stripe with these subscriptions of `cus_1`, each bought in a session of its own: `sub_1` in `cs_1`. */
function createStripe(bought: Subscription[]) {
  const subscriptions = new Map(bought.map((subscription) => [subscription.id, subscription]));
  /** What lists do not show yet. */
  const late = new Set<string>();
  const billing: Pick<
    CustomerBilling,
    'findCheckoutSession' | 'findCustomer' | 'findSubscription' | 'listSubscriptions' | 'cancelSubscription'
  > = {
    findCheckoutSession: async (id) => ({
      ...{ id, url: null, status: 'complete', paymentStatus: 'no_payment_required', email: null },
      ...{ customerId: 'cus_1', subscriptionId: id.replace('cs_', 'sub_') },
    }),
    findCustomer: async (id) => ({ id, email: null, name: null, createdAtMs: 0, deleted: false }),
    findSubscription: async (id) => subscriptions.get(id),
    listSubscriptions: async () => [...subscriptions.values()].filter(({ id }) => !late.has(id)),
    async cancelSubscription(id) {
      const ended = subscriptions.get(id);
      if (ended) subscriptions.set(id, { ...ended, status: 'canceled', endedAtMs: 1 });
    },
  };
  return {
    billing: billing as CustomerBilling,
    late,
    live: () => [...subscriptions.values()].filter(isLive),
  };
}

async function setUp(bought: Subscription[]) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const stripe = createStripe(bought);
  const look = (no: number): Promise<CheckoutProgress> =>
    provisionCheckout({ store, host, billing: stripe.billing }, `cs_${no}`);
  return { store, stripe, look };
}

describe('two orders of one customer', () => {
  it('leave the one that came first in the same second, also when the other was looked at before', async () => {
    const { stripe, look } = await setUp([
      createSubscription({ id: 'sub_1' }),
      createSubscription({ id: 'sub_2' }),
    ]);
    stripe.late.add('sub_1');
    expect(await look(2)).toBe('ready');
    stripe.late.clear();
    expect(await look(1)).toBe('ready');
    expect(stripe.live().map(({ id }) => id)).toEqual(['sub_1']);
    // Whoever made no key of the other order yet makes it still: it is his, and it works.
    expect(await look(2)).toBe('ready');
  });

  it('leave alone what was made by hand later, whoever looks at an old order', async () => {
    const [first, second, third] = [1, 2, 3].map((no) =>
      createSubscription({ id: `sub_${no}`, createdAtMs: no, ...(no === 3 ? { endedAtMs: 4 } : {}) }),
    );
    const { stripe, look } = await setUp([first!, second!, third!]);
    expect(await look(3)).toBe('duplicate');
    expect(stripe.live()).toHaveLength(2);
  });

  it('leave one subscription, always', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2), { minLength: 2, maxLength: 3 }),
        fc.array(fc.record({ order: fc.nat(2), late: fc.array(fc.nat(2)) }), { maxLength: 6 }),
        async (createdAt, looks) => {
          const bought = createdAt.map((createdAtMs, no) =>
            createSubscription({ id: `sub_${no}`, createdAtMs }),
          );
          const { stripe, look, store } = await setUp(bought);
          for (const { order, late } of looks) {
            for (const no of late) stripe.late.add(`sub_${no}`);
            await look(order % bought.length);
            stripe.late.clear();
          }
          for (const no of bought.keys()) await look(no);
          expect(stripe.live()).toHaveLength(1);
          expect((await store.findCustomer('cus_1'))?.subscriptions.filter(isLive)).toEqual(
            expect.arrayContaining([expect.objectContaining({ id: stripe.live()[0]?.id })]),
          );
        },
      ),
      { numRuns: 25 },
    );
  });
});
