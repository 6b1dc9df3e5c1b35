/** Makes Stripe have what is wanted. Run twice, or interrupted and run again, it creates nothing twice. */

import type { CatalogBilling } from '../domain/billing.js';
import { type Meter, type Price, type Product, priceMark, type WebhookEndpoint } from '../domain/catalog.js';
import { MeterctlError } from '../domain/error.js';
import type { IdentityStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { type Attempt, openAttempt } from './attempt.js';
import { createOrFind } from './create-or-find.js';
import { findCatalog, orWithout, partOf } from './find-catalog.js';
import { findMadeParts } from './made-parts.js';
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
  /** Notes what was done, for this run and the next ones, and tells it. */
  report(part: CatalogPart, action: BootstrapStep['action'], id: string | null): Promise<void>;
}

/** What would be done, without doing it: nothing is written, here or at Stripe. Throws `conflict`. */
export async function dryRunBootstrap(deps: BootstrapDeps, wanted: WantedCatalog): Promise<BootstrapStep[]> {
  return (await planRun(deps, wanted)).steps;
}

/** Creates what is missing. Throws `conflict` before anything is created when something exists with other values. */
export async function runBootstrap(deps: BootstrapDeps, wanted: WantedCatalog): Promise<Bootstrapped> {
  await bindAccount(deps);
  const { found, attempt, made } = await planRun(deps, wanted);
  const created: CatalogPart[] = [];
  const run: Run = {
    ...deps,
    ...{ wanted, found, attempt },
    async report(part, action, id) {
      if (action === 'create' && id !== null) {
        created.push(part);
        await made.add(part, id);
      }
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
    if (found.canBeThin) webhooks.push(await ensureWebhook(run, wanted.webhookUrl, 'thin'));
    else await run.report('thin_webhook', 'skip', null);
  }
  const portalConfiguration = await ensurePortal(run);
  await attempt.end();
  return { meter, product, price, webhooks, portalConfiguration, created };
}

async function planRun(deps: BootstrapDeps, wanted: WantedCatalog) {
  const made = await findMadeParts(deps.store);
  const found = await findCatalog(deps.billing, wanted, made);
  const steps = planBootstrap(wanted, found);
  const attempt = await openAttempt(deps.store, deps.host);
  for (const endpoint of found.webhooks) {
    if (!deps.hasSecretOf(endpoint.id) && !attempt.hasBegun(partOf(endpoint.kind)))
      throw secretLost(endpoint);
  }
  return { found, steps, attempt, made };
}

async function ensureMeter({ billing, host, wanted, found, attempt, report }: Run): Promise<Meter> {
  const { eventName, productName } = wanted;
  const values = { eventName, displayName: productName };
  const { value: meter, action } = await createOrFind(host.clock, found.meter, {
    create: () => attempt.create('meter', values, (key) => billing.addMeter(values, key)),
    find: () => billing.findMeter(eventName),
  });
  checkMeter(meter);
  if (meter.active) {
    await report('meter', action, meter.id);
    return meter;
  }
  const active = await billing.reactivateMeter(meter.id);
  await report('meter', 'reactivate', active.id);
  return active;
}

async function ensureProduct({ billing, host, wanted, found, attempt, report }: Run): Promise<Product> {
  const values = { id: productIdOf(wanted.eventName), name: wanted.productName, unitLabel: wanted.unit };
  const { value: product, action } = await createOrFind(host.clock, found.product, {
    create: () => attempt.create('product', values, (key) => billing.addProduct(values, key)),
    find: () => billing.findProduct(values.id),
  });
  checkProduct(product, wanted);
  await report('product', action, product.id);
  return product;
}

async function ensurePrice(run: Run, meter: Meter, product: Product): Promise<Price> {
  const { billing, host, wanted, found, attempt, report } = run;
  const { currency, interval, unitAmountMinor } = wanted;
  const lookupKey = lookupKeyOf(wanted.eventName);
  const values = { lookupKey, productId: product.id, meterId: meter.id, currency, interval, unitAmountMinor };
  const { value: price, action } = await createOrFind(host.clock, found.price, {
    create: () => attempt.create('price', values, (key) => billing.addPrice(values, key)),
    find: () => billing.findPrice(lookupKey),
  });
  checkPrice(price, wanted, meter);
  await report('price', action, price.id);
  return price;
}

/** A secret that is not at hand comes back only by replaying the create that an interrupted run began. */
async function ensureWebhook(run: Run, url: string, kind: WebhookEndpoint['kind']): Promise<WebhookEndpoint> {
  const { billing, found, attempt, report } = run;
  const part = partOf(kind);
  const present = found.webhooks.find((endpoint) => endpoint.kind === kind);
  if (present && run.hasSecretOf(present.id)) {
    await report(part, 'keep', present.id);
    return present;
  }
  const endpoint = await attempt.create(part, url, (key) => billing.addWebhookEndpoint(url, kind, key));
  if (endpoint.secret === null) throw secretLost(endpoint);
  await run.onSecret(endpoint, endpoint.secret);
  await report(part, 'create', endpoint.id);
  return endpoint;
}

async function ensurePortal({ billing, found, attempt, report }: Run): Promise<string | null> {
  const present = found.portalConfiguration;
  const id =
    present === undefined
      ? await orWithout(attempt.create('portal', null, (key) => billing.addPortalConfiguration(key)))
      : present;
  await report('portal', id === null ? 'skip' : present === undefined ? 'create' : 'keep', id);
  return id;
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
