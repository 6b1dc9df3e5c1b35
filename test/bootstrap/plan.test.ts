/** What a bootstrap will do, and what it refuses to: without Stripe. */

import { describe, expect, it } from 'vitest';
import { type FoundCatalog, planBootstrap, type WantedCatalog } from '../../src/bootstrap/plan.js';
import type { WebhookEndpoint } from '../../src/domain/catalog.js';
import { perUnitTerms } from '../../src/lib/pricing.js';

const wanted: WantedCatalog = {
  productName: 'Fire API',
  unit: 'call',
  unitAmountMinor: '0.015',
  currency: 'usd',
  interval: 'month',
  eventName: 'fire_calls',
  webhookUrl: 'https://api.example.com/webhook',
};

const nothing: FoundCatalog = {
  ...{ meter: undefined, product: undefined, price: undefined },
  ...{ webhooks: [], canBeThin: true, portalConfiguration: undefined },
};

const snapshot: WebhookEndpoint = {
  id: 'we_1',
  kind: 'snapshot',
  url: 'https://api.example.com/webhook',
  enabled: true,
  apiVersion: '2026-10-28.endive',
  enabledEvents: ['*'],
  secret: null,
};

const everything = {
  meter: {
    ...{ id: 'mtr_1', eventName: 'fire_calls', displayName: 'Anything', active: true, formula: 'sum' },
    ...{ customerPayloadKey: 'stripe_customer_id', valuePayloadKey: 'value', eventTimeWindow: null },
  },
  product: { id: 'prod_1', name: 'Fire API', unitLabel: 'call', active: true },
  price: {
    ...{
      id: 'price_1',
      lookupKey: 'meterctl_fire_calls',
      productId: 'prod_1',
      meterId: 'mtr_1',
      active: true,
    },
    ...{ currency: 'usd', interval: 'month' as const, intervalCount: 1, unitAmountMinor: '0.0150' },
    ...{ tiersMode: null, terms: perUnitTerms('0.0150') },
  },
  webhooks: [snapshot, { ...snapshot, id: 'ed_1', kind: 'thin' as const, apiVersion: null }],
  canBeThin: true,
  portalConfiguration: 'bpc_1',
} satisfies FoundCatalog;

const { meter, product, price } = everything;

describe('the plan', () => {
  it('creates what is missing, keeps what is there, reactivates what sleeps', () => {
    const actions = (found: FoundCatalog, over: Partial<WantedCatalog> = {}) =>
      planBootstrap({ ...wanted, ...over }, found).map(({ part, action }) => `${action} ${part}`);
    const parts = ['meter', 'product', 'price', 'webhook', 'thin_webhook', 'portal'];
    expect(actions(nothing)).toEqual(parts.map((part) => `create ${part}`));
    expect(actions(everything)).toEqual(parts.map((part) => `keep ${part}`));
    expect(actions(nothing, { webhookUrl: null })).not.toContain('create webhook');
    expect(actions({ ...everything, meter: { ...meter, active: false } })[0]).toBe('reactivate meter');
    expect(actions({ ...everything, webhooks: [snapshot] }).slice(3)).toEqual([
      ...['keep webhook', 'create thin_webhook', 'keep portal'],
    ]);
  });

  it.each<[string, Partial<FoundCatalog>]>([
    ['adds events up by count, not sum', { meter: { ...meter, formula: 'count' } }],
    [
      'reads the customer from who, not stripe_customer_id',
      { meter: { ...meter, customerPayloadKey: 'who' } },
    ],
    ['reads the units from n, not value', { meter: { ...meter, valuePayloadKey: 'n' } }],
    ['keeps only the last event of each hour', { meter: { ...meter, eventTimeWindow: 'hour' } }],
    ['is named Ice API, not Fire API', { product: { ...product, name: 'Ice API' } }],
    ['is counted in nothing, not call', { product: { ...product, unitLabel: null } }],
    ['is archived, not active', { product: { ...product, active: false } }],
    ['costs 0.05 a unit, not 0.00015 a unit', { price: { ...price, unitAmountMinor: '5' } }],
    ['costs by tiers (graduated)', { price: { ...price, unitAmountMinor: null, tiersMode: 'graduated' } }],
    [
      'is charged for packages of 100, not single units',
      {
        price: {
          ...price,
          terms: { ...perUnitTerms('0.0150'), transform_quantity: { divide_by: 100, round: 'up' } },
        },
      },
    ],
    ['is in eur, not usd', { price: { ...price, currency: 'eur' } }],
    ['is billed every 3 months, not month', { price: { ...price, intervalCount: 3 } }],
    ['is billed every year, not month', { price: { ...price, interval: 'year' } }],
    ['counts by mtr_9, not mtr_1', { price: { ...price, meterId: 'mtr_9' } }],
    ['counts by no meter, not mtr_1', { price: { ...price, meterId: null } }],
    ['is disabled', { webhooks: [{ ...snapshot, enabled: false }] }],
    [
      'is not sent checkout.session.completed',
      { webhooks: [{ ...snapshot, enabledEvents: ['invoice.paid'] }] },
    ],
    ['is not pinned to an API version', { webhooks: [{ ...snapshot, apiVersion: null }] }],
  ])('refuses what %s, and says the mend', (message, over) => {
    expect(() => planBootstrap(wanted, { ...everything, ...over })).toThrow(
      expect.objectContaining({
        code: 'conflict',
        message: expect.stringContaining(message),
        hint: expect.stringMatching(/--event-name|Dashboard/),
      }),
    );
  });
});
