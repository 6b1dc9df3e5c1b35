/** Makes Stripe have what is wanted. Run twice, or interrupted and run again, it creates nothing twice. */

import type { CatalogBilling } from '../domain/billing.js';
import { type Meter, type Price, type Product, priceMark, type WebhookEndpoint } from '../domain/catalog.js';
import { MeterctlError } from '../domain/error.js';
import type { IdentityStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { type Attempt, openAttempt } from './attempt.js';
import { createOrFind } from './create-or-find.js';
import {
  type BootstrapStep,
  type CatalogPart,
  checkMeter,
  checkPrice,
  checkProduct,
  type FoundCatalog,
  lookupKeyOf,
  planBootstrap,
  productIdOf,
  type WantedCatalog,
} from './plan.js';
import { bindAccount } from './verify-account.js';

/** What a bootstrap works with. */
export interface BootstrapDeps {
  store: IdentityStore;
  billing: CatalogBilling;
  host: Host;
  /** Whether the signing secret of this endpoint is at hand: Stripe shows it only once. */
  hasSecretOf(endpointId: string): boolean;
  /** Called as each step is done. */
  onStep(step: BootstrapStep): void;
  /** Keeps a signing secret; awaited before anything else happens, so that it is never lost. */
  onSecret(endpoint: WebhookEndpoint, secret: string): Promise<void>;
}

/** What stands at the end. */
export interface Bootstrapped {
  meter: Meter;
  product: Product;
  price: Price;
  webhooks: WebhookEndpoint[];
  /** `null` when the portal cannot be configured with this key. */
  portalConfiguration: string | null;
  created: CatalogPart[];
}

/** A run on its way. */
interface Run extends BootstrapDeps {
  wanted: WantedCatalog;
  found: FoundCatalog;
  attempt: Attempt;
  /** Notes what was done, and tells it. */
  report(part: CatalogPart, action: BootstrapStep['action'], id: string | null): void;
}

/** What would be done, without doing it: nothing is written, here or at Stripe. Throws `conflict`. */
export async function dryRunBootstrap(deps: BootstrapDeps, wanted: WantedCatalog): Promise<BootstrapStep[]> {
  return (await planRun(deps, wanted)).steps;
}

/** Creates what is missing. Throws `conflict` before anything is created when something exists with other values. */
export async function runBootstrap(deps: BootstrapDeps, wanted: WantedCatalog): Promise<Bootstrapped> {
  await bindAccount(deps);
  const { found, attempt } = await planRun(deps, wanted);
  const created: CatalogPart[] = [];
  const run: Run = {
    ...deps,
    ...{ wanted, found, attempt },
    report(part, action, id) {
      if (action === 'create') created.push(part);
      deps.onStep({ part, action, id });
    },
  };
  const meter = await ensureMeter(run);
  const product = await ensureProduct(run);
  const price = await ensurePrice(run, meter, product);
  await deps.store.recordMark(priceMark(price.id), JSON.stringify(price.terms));
  const webhooks: WebhookEndpoint[] = [];
  if (wanted.webhookUrl !== null) {
    webhooks.push(await ensureWebhook(run, wanted.webhookUrl, 'snapshot'));
    webhooks.push(await ensureWebhook(run, wanted.webhookUrl, 'thin'));
  }
  const portalConfiguration = await ensurePortal(run);
  await attempt.end();
  return { meter, product, price, webhooks, portalConfiguration, created };
}

async function planRun(deps: BootstrapDeps, wanted: WantedCatalog) {
  const found = await findCatalog(deps.billing, wanted);
  const steps = planBootstrap(wanted, found);
  const attempt = await openAttempt(deps.store, deps.host);
  for (const endpoint of found.webhooks) {
    if (!deps.hasSecretOf(endpoint.id) && !attempt.hasBegun(partOf(endpoint.kind)))
      throw secretLost(endpoint);
  }
  return { found, steps, attempt };
}

async function findCatalog(billing: CatalogBilling, wanted: WantedCatalog): Promise<FoundCatalog> {
  const price = await billing.findPrice(lookupKeyOf(wanted.eventName));
  let meter = await billing.findMeter(wanted.eventName);
  if (!meter && price?.meterId) {
    // The list may not show yet what the price counts by already.
    const counted = await billing.findMeterById(price.meterId);
    if (counted?.eventName === wanted.eventName) meter = counted;
  }
  return {
    meter,
    product: await billing.findProduct(price?.productId ?? productIdOf(wanted.eventName)),
    price,
    webhooks: wanted.webhookUrl === null ? [] : await billing.listWebhookEndpoints(wanted.webhookUrl),
    portalConfiguration: await orWithout(billing.findPortalConfiguration()),
  };
}

async function ensureMeter({ billing, host, wanted, found, attempt, report }: Run): Promise<Meter> {
  const { eventName, productName } = wanted;
  const values = { eventName, displayName: productName };
  const { value: meter, action } = await createOrFind(host.clock, found.meter, {
    create: async () => billing.addMeter(values, await attempt.begin('meter', values)),
    find: () => billing.findMeter(eventName),
  });
  checkMeter(meter);
  if (meter.active) {
    report('meter', action, meter.id);
    return meter;
  }
  const active = await billing.reactivateMeter(meter.id);
  report('meter', 'reactivate', active.id);
  return active;
}

async function ensureProduct({ billing, host, wanted, found, attempt, report }: Run): Promise<Product> {
  const values = { id: productIdOf(wanted.eventName), name: wanted.productName, unitLabel: wanted.unit };
  const { value: product, action } = await createOrFind(host.clock, found.product, {
    create: async () => billing.addProduct(values, await attempt.begin('product', values)),
    find: () => billing.findProduct(values.id),
  });
  checkProduct(product, wanted);
  report('product', action, product.id);
  return product;
}

async function ensurePrice(run: Run, meter: Meter, product: Product): Promise<Price> {
  const { billing, host, wanted, found, attempt, report } = run;
  const { currency, interval, unitAmountMinor } = wanted;
  const lookupKey = lookupKeyOf(wanted.eventName);
  const values = { lookupKey, productId: product.id, meterId: meter.id, currency, interval, unitAmountMinor };
  const { value: price, action } = await createOrFind(host.clock, found.price, {
    create: async () => billing.addPrice(values, await attempt.begin('price', values)),
    find: () => billing.findPrice(lookupKey),
  });
  checkPrice(price, wanted, meter);
  report('price', action, price.id);
  return price;
}

/** A secret that is not at hand comes back only by replaying the create that an interrupted run began. */
async function ensureWebhook(run: Run, url: string, kind: WebhookEndpoint['kind']): Promise<WebhookEndpoint> {
  const { billing, found, attempt, report } = run;
  const part = partOf(kind);
  const present = found.webhooks.find((endpoint) => endpoint.kind === kind);
  if (present && run.hasSecretOf(present.id)) {
    report(part, 'keep', present.id);
    return present;
  }
  const endpoint = await billing.addWebhookEndpoint(url, kind, await attempt.begin(part, url));
  if (endpoint.secret === null) throw secretLost(endpoint);
  await run.onSecret(endpoint, endpoint.secret);
  report(part, 'create', endpoint.id);
  return endpoint;
}

async function ensurePortal({ billing, found, attempt, report }: Run): Promise<string | null> {
  const present = found.portalConfiguration;
  const id =
    present === undefined
      ? await orWithout(billing.addPortalConfiguration(await attempt.begin('portal', null)))
      : present;
  report('portal', id === null ? 'skip' : present === undefined ? 'create' : 'keep', id);
  return id;
}

/** `null` when the key lacks the permission, or the server the feature. */
async function orWithout<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    const lacking = error instanceof MeterctlError && ['unauthorized', 'not_found'].includes(error.code);
    if (!lacking) throw error;
    return null;
  }
}

function partOf(kind: WebhookEndpoint['kind']): CatalogPart {
  return kind === 'thin' ? 'thin_webhook' : 'webhook';
}

function secretLost({ id, url }: WebhookEndpoint): MeterctlError {
  return new MeterctlError(
    'conflict',
    `The webhook endpoint ${id} for ${url} exists, but its signing secret is not here.`,
    {
      hint: 'Copy its secret from the Dashboard into STRIPE_WEBHOOK_SECRET in .env, or delete it there and run init again.',
    },
  );
}
