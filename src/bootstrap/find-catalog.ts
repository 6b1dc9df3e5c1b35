/** What Stripe has of what a bootstrap is to make. */

import type { CatalogBilling } from '../domain/billing.js';
import type { WebhookEndpoint } from '../domain/catalog.js';
import { type ErrorCode, MeterctlError } from '../domain/error.js';
import type { MadeParts } from './made-parts.js';
import { type CatalogPart, type FoundCatalog, lookupKeyOf, productIdOf, type WantedCatalog } from './plan.js';

/** Looks for every part, by Stripe's lists and by the ids of what was made before: a list may not show it yet (stripe-facts 2). */
export async function findCatalog(
  billing: CatalogBilling,
  wanted: WantedCatalog,
  made: MadeParts,
): Promise<FoundCatalog> {
  const { eventName, webhookUrl: url } = wanted;
  const lookupKey = lookupKeyOf(eventName);
  const price =
    (await billing.findPrice(lookupKey)) ??
    (await findMade(made.idsOf('price'), billing.findPriceById, (each) => each.lookupKey === lookupKey));
  const meterIds = [...made.idsOf('meter'), ...(price?.meterId ? [price.meterId] : [])];
  const meter =
    (await billing.findMeter(eventName)) ??
    (await findMade(meterIds, billing.findMeterById, (each) => each.eventName === eventName));
  const snapshots = url === null ? [] : await findWebhooks(billing, { url, kind: 'snapshot', made });
  // A key that may not read them is not passed over: usage that Stripe rejects would go unnoticed.
  const thin =
    url === null ? [] : await orWithout(findWebhooks(billing, { url, kind: 'thin', made }), ['not_found']);
  return {
    meter,
    product: await billing.findProduct(price?.productId ?? productIdOf(eventName)),
    price,
    webhooks: [...snapshots, ...(thin ?? [])],
    canBeThin: thin !== null,
    portalConfiguration: await orWithout(billing.findPortalConfiguration(made.idsOf('portal'))),
  };
}

/** What Stripe lists for the URL, and what was made for it before and is not listed yet. */
async function findWebhooks(
  billing: CatalogBilling,
  { url, kind, made }: { url: string; kind: WebhookEndpoint['kind']; made: MadeParts },
): Promise<WebhookEndpoint[]> {
  const found = await billing.listWebhookEndpoints(url, kind);
  const unlisted = made.idsOf(partOf(kind)).filter((id) => found.every((endpoint) => endpoint.id !== id));
  const find = (id: string) => billing.findWebhookEndpoint(id, kind);
  const present = await findMade(unlisted, find, (endpoint) => endpoint.url === url);
  return present ? [...found, present] : found;
}

/** The first of these that is still there and is what is looked for. */
async function findMade<T>(
  ids: readonly string[],
  find: (id: string) => Promise<T | undefined>,
  fits: (found: T) => boolean,
): Promise<T | undefined> {
  for (const id of ids) {
    const found = await find(id);
    if (found !== undefined && fits(found)) return found;
  }
  return undefined;
}

/** `null` when the key lacks the permission, or the server the feature. */
export async function orWithout<T>(
  asked: Promise<T>,
  codes: readonly ErrorCode[] = ['unauthorized', 'not_found'],
): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    const lacking = error instanceof MeterctlError && codes.includes(error.code);
    if (!lacking) throw error;
    return null;
  }
}

/** The part of a bootstrap that a registration is. */
export function partOf(kind: WebhookEndpoint['kind']): CatalogPart {
  return kind === 'thin' ? 'thin_webhook' : 'webhook';
}
