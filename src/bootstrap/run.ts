/** Makes Stripe have what is wanted. Run twice, or interrupted and run again, it creates nothing twice. */

import type { CatalogBilling } from '../domain/billing.js';
import type { Meter, Price, Product, WebhookEndpoint } from '../domain/catalog.js';
import { MeterctlError } from '../domain/error.js';
import type { IdentityStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { type Attempt, beginAttempt } from './attempt.js';
import {
  type BootstrapStep,
  type CatalogPart,
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
  portalConfiguration: string;
  created: CatalogPart[];
}

/** What would be done, without doing it. Throws `conflict`. */
export async function dryRunBootstrap(deps: BootstrapDeps, wanted: WantedCatalog): Promise<BootstrapStep[]> {
  await bindAccount(deps);
  return planBootstrap(wanted, await findCatalog(deps.billing, wanted));
}

/** Creates what is missing. Throws `conflict` before anything is created when something exists with other values. */
export async function runBootstrap(deps: BootstrapDeps, wanted: WantedCatalog): Promise<Bootstrapped> {
  await bindAccount(deps);
  const found = await findCatalog(deps.billing, wanted);
  const steps = planBootstrap(wanted, found);
  const attempt = await beginAttempt(deps.store, deps.host);
  const created: CatalogPart[] = [];
  const done = <T>(part: CatalogPart, before: T | undefined, after: T & { id: string }): T => {
    const step = steps.find((planned) => planned.part === part);
    if (before === undefined) created.push(part);
    deps.onStep({ part, action: before === undefined ? 'create' : (step?.action ?? 'keep'), id: after.id });
    return after;
  };
  const meter = done('meter', found.meter, await ensureMeter(deps, wanted, found, attempt));
  const product = done('product', found.product, await ensureProduct(deps, wanted, found, attempt));
  const price = done('price', found.price, await ensurePrice(deps, wanted, found, attempt, meter, product));
  const webhooks: WebhookEndpoint[] = [];
  if (wanted.webhookUrl !== null) {
    for (const kind of ['snapshot', 'thin'] as const) {
      const before = found.webhooks.find((endpoint) => endpoint.kind === kind);
      const endpoint = await ensureWebhook(deps, wanted.webhookUrl, kind, before, attempt);
      webhooks.push(done(kind === 'thin' ? 'thin_webhook' : 'webhook', before, endpoint));
    }
  }
  const portal =
    found.portalConfiguration ?? (await deps.billing.addPortalConfiguration(attempt.keyOf('portal', null)));
  done('portal', found.portalConfiguration && { id: portal }, { id: portal });
  // What somebody else made meanwhile must be what was wanted, too.
  planBootstrap(wanted, { meter, product, price, webhooks, portalConfiguration: portal });
  await attempt.end();
  return { meter, product, price, webhooks, portalConfiguration: portal, created };
}

async function findCatalog(billing: CatalogBilling, wanted: WantedCatalog): Promise<FoundCatalog> {
  const price = await billing.findPrice(lookupKeyOf(wanted.eventName));
  return {
    meter: await billing.findMeter(wanted.eventName),
    product: await billing.findProduct(price?.productId ?? productIdOf(wanted.eventName)),
    price,
    webhooks: wanted.webhookUrl === null ? [] : await billing.listWebhookEndpoints(wanted.webhookUrl),
    portalConfiguration: await billing.findPortalConfiguration(),
  };
}

async function ensureMeter(
  { billing }: BootstrapDeps,
  { eventName, productName }: WantedCatalog,
  { meter }: FoundCatalog,
  attempt: Attempt,
): Promise<Meter> {
  if (meter) return meter.active ? meter : billing.reactivateMeter(meter.id);
  const values = { eventName, displayName: productName };
  return createOrFind(
    () => billing.addMeter(values, attempt.keyOf('meter', values)),
    () => billing.findMeter(eventName),
  );
}

async function ensureProduct(
  { billing }: BootstrapDeps,
  { eventName, productName, unit }: WantedCatalog,
  { product }: FoundCatalog,
  attempt: Attempt,
): Promise<Product> {
  if (product) return product;
  const values = { id: productIdOf(eventName), name: productName, unitLabel: unit };
  return createOrFind(
    () => billing.addProduct(values, attempt.keyOf('product', values)),
    () => billing.findProduct(values.id),
  );
}

async function ensurePrice(
  { billing }: BootstrapDeps,
  { eventName, currency, interval, unitAmountMinor }: WantedCatalog,
  { price }: FoundCatalog,
  attempt: Attempt,
  meter: Meter,
  product: Product,
): Promise<Price> {
  if (price) return price;
  const lookupKey = lookupKeyOf(eventName);
  const values = { lookupKey, productId: product.id, meterId: meter.id, currency, interval, unitAmountMinor };
  return createOrFind(
    () => billing.addPrice(values, attempt.keyOf('price', values)),
    () => billing.findPrice(lookupKey),
  );
}

/** Somebody else may have been faster, or a list may have lagged behind (stripe-facts 2): then what is there is taken. */
async function createOrFind<T>(create: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    const refused = error instanceof MeterctlError && (error.code === 'invalid' || error.code === 'conflict');
    const found = refused ? await find() : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** A secret that is not at hand comes back only by replaying the create of an interrupted bootstrap. */
async function ensureWebhook(
  deps: BootstrapDeps,
  url: string,
  kind: WebhookEndpoint['kind'],
  found: WebhookEndpoint | undefined,
  attempt: Attempt,
): Promise<WebhookEndpoint> {
  if (found && deps.hasSecretOf(found.id)) return found;
  if (found && !attempt.resumed) throw secretLost(found);
  const endpoint = await deps.billing.addWebhookEndpoint(url, kind, attempt.keyOf(kind, url));
  if (endpoint.secret === null) throw secretLost(endpoint);
  await deps.onSecret(endpoint, endpoint.secret);
  return endpoint;
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
