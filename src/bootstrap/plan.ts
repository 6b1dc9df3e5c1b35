/** What a bootstrap will do: compares what is wanted with what Stripe has, before anything is touched. */

import type { Meter, Price, Product, WebhookEndpoint } from '../domain/catalog.js';
import { MeterctlError } from '../domain/error.js';
import { majorFromMinor } from '../domain/money.js';
import type { Interval } from '../lib/calendar.js';
import { decimal } from '../lib/decimal.js';

/** What is to be sold, and where Stripe's messages go. */
export interface WantedCatalog {
  productName: string;
  unit: string;
  /** Decimal string in minor units. */
  unitAmountMinor: string;
  currency: string;
  interval: Interval;
  eventName: string;
  /** `null`: no registration. */
  webhookUrl: string | null;
}

/** What Stripe has of it. */
export interface FoundCatalog {
  meter: Meter | undefined;
  product: Product | undefined;
  price: Price | undefined;
  webhooks: WebhookEndpoint[];
  /** Whether this server knows thin destinations: one without the v2 API does not. */
  canBeThin: boolean;
  /** `null` when this key, or this server, cannot configure the portal: what is sold does not hang on it. */
  portalConfiguration: string | null | undefined;
}

/** The parts of a bootstrap, in the order in which they are made. */
export type CatalogPart = 'meter' | 'product' | 'price' | 'webhook' | 'thin_webhook' | 'portal';

/** One thing to do, or to leave as it is. */
export interface BootstrapStep {
  part: CatalogPart;
  action: 'create' | 'reactivate' | 'keep' | 'skip';
  /** What exists already. */
  id: string | null;
}

/** The price's stable handle: amounts cannot be changed, ids cannot be chosen, but a lookup key can be found again (stripe-facts 4). */
export function lookupKeyOf(eventName: string): string {
  return `meterctl_${eventName}`;
}

/** The product's own id, by which it is found again. */
export function productIdOf(eventName: string): string {
  return `prod_meterctl_${eventName}`;
}

/** The steps. Throws `conflict` when something exists with other values: it is explained, and nothing is changed. */
export function planBootstrap(wanted: WantedCatalog, found: FoundCatalog): BootstrapStep[] {
  const { meter, product, price, webhooks, canBeThin, portalConfiguration } = found;
  if (meter) checkMeter(meter);
  if (product) checkProduct(product, wanted);
  if (price) checkPrice(price, wanted, meter);
  const webhook = (kind: WebhookEndpoint['kind']) => webhooks.find((endpoint) => endpoint.kind === kind);
  for (const endpoint of webhooks) checkWebhook(endpoint);
  return [
    { ...step('meter', meter?.id), ...(meter && !meter.active && { action: 'reactivate' }) },
    step('product', product?.id),
    step('price', price?.id),
    ...(wanted.webhookUrl === null
      ? []
      : [
          step('webhook', webhook('snapshot')?.id),
          canBeThin ? step('thin_webhook', webhook('thin')?.id) : leftOut('thin_webhook'),
        ]),
    portalConfiguration === null ? leftOut('portal') : step('portal', portalConfiguration),
  ];
}

function leftOut(part: CatalogPart): BootstrapStep {
  return { part, action: 'skip', id: null };
}

function step(part: CatalogPart, id: string | undefined): BootstrapStep {
  return { part, action: id === undefined ? 'create' : 'keep', id: id ?? null };
}

/** Throws `conflict`. A meter's rules cannot be changed after it was made (stripe-facts 2), so another name is the only way out. */
export function checkMeter(meter: Meter): void {
  const hint = `Choose another name with --event-name: the rules of a meter cannot be changed.`;
  agree(`The meter ${meter.eventName} (${meter.id})`, hint, [
    ['adds events up by', meter.formula, 'sum'],
    ['reads the customer from', meter.customerPayloadKey, 'stripe_customer_id'],
    ['reads the units from', meter.valuePayloadKey, 'value'],
    ['keeps only the last event of each', meter.eventTimeWindow ?? 'nothing', 'nothing'],
  ]);
}

/** Throws `conflict` when the product says something else on the invoice than is wanted. */
export function checkProduct(product: Product, wanted: WantedCatalog): void {
  const hint =
    'Use the values that it has, choose another --event-name, or change the product in the Dashboard.';
  agree(`The product ${product.id}`, hint, [
    ['is named', product.name, wanted.productName],
    ['is counted in', product.unitLabel ?? 'nothing', wanted.unit],
    ['is', product.active ? 'active' : 'archived', 'active'],
  ]);
}

/** Throws `conflict`. Amount, currency, interval and meter of a price are fixed for ever (stripe-facts 4). */
export function checkPrice(price: Price, wanted: WantedCatalog, meter: Meter | undefined): void {
  const hint = 'Use the values that it has, or choose another --event-name: a price cannot be changed.';
  const { currency } = wanted;
  agree(`The price ${price.id} (${price.lookupKey})`, hint, [
    ['is in', price.currency, currency],
    ['costs', amountText(price), `${majorFromMinor(plainAmount(wanted.unitAmountMinor), currency)} a unit`],
    ['is charged for', packageText(price), 'single units'],
    ['is billed every', intervalText(price.interval, price.intervalCount), wanted.interval],
    [
      'counts by',
      price.meterId ?? 'no meter',
      meter?.id ?? `the meter ${wanted.eventName}, which does not exist`,
    ],
    ['is', price.active ? 'active' : 'archived', 'active'],
  ]);
}

/** Without these, access or refused usage would go unnoticed; an endpoint that was made by hand may lack them. */
const neededEvents: Record<WebhookEndpoint['kind'], readonly string[]> = {
  snapshot: [
    'checkout.session.completed',
    'customer.subscription.created',
    'customer.subscription.updated',
    'customer.subscription.deleted',
  ],
  thin: ['v1.billing.meter.error_report_triggered', 'v1.billing.meter.no_meter_found'],
};

/** The version of a snapshot endpoint is fixed when it is made; without one it is the account's (stripe-facts 6). */
function checkWebhook({ id, kind, url, enabled, apiVersion, enabledEvents }: WebhookEndpoint): void {
  const lacking = neededEvents[kind].find(
    (type) => !enabledEvents.includes(type) && !enabledEvents.includes('*'),
  );
  const problem =
    (!enabled && 'is disabled') ||
    (lacking !== undefined && `is not sent ${lacking}`) ||
    (kind === 'snapshot' && apiVersion === null && 'is not pinned to an API version');
  if (!problem) return;
  throw new MeterctlError(
    'conflict',
    `The webhook endpoint ${id} for ${url} exists already and ${problem}.`,
    {
      hint: 'Mend it in the Dashboard, or delete it there and run init again.',
    },
  );
}

function agree(what: string, hint: string, facts: [verb: string, has: string, wants: string][]): void {
  const clash = facts.find(([, has, wants]) => has !== wants);
  if (!clash) return;
  const [verb, has, wants] = clash;
  throw new MeterctlError('conflict', `${what} exists already and ${verb} ${has}, not ${wants}.`, { hint });
}

function amountText(price: Price): string {
  if (price.unitAmountMinor === null) return `by tiers (${price.tiersMode})`;
  return `${majorFromMinor(plainAmount(price.unitAmountMinor), price.currency)} a unit`;
}

function packageText({ terms }: Price): string {
  const size = terms.transform_quantity?.divide_by;
  return size === undefined ? 'single units' : `packages of ${size}`;
}

/** `5`, `5.0` and `5.00` are one amount. */
function plainAmount(amount: string): string {
  return decimal(amount).toFixed();
}

function intervalText(interval: Interval, count: number): string {
  return count === 1 ? interval : `${count} ${interval}s`;
}
