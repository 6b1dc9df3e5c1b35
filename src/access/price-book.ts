/** What the prices of customers cost: kept here once Stripe has told, guessed from the configuration until then. */

import type { CatalogBilling } from '../domain/billing.js';
import { priceMark } from '../domain/catalog.js';
import type { IdentityStore } from '../domain/store.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import type { PriceTerms } from '../lib/pricing.js';

/** How soon Stripe is asked again for a price when it could not be asked. */
const intervalMs = 10_000;

/** So long a call waits to be told, once for each price. Stripe being down stops no call. */
const waitMaxMs = 2_000;

/** More prices than that are not remembered: nobody sells under so many. */
const pricesMax = 10_000;

/** Knows what prices cost. */
export interface PriceBook extends Loop {
  /** The terms by which Stripe will bill. Terms of a price that is not known yet are those of the configuration. */
  termsOf(priceId: string): PriceTerms;
  /** Resolves when the terms are known or, where Stripe cannot be asked, soon enough for a call to wait for it. */
  ready(priceId: string): Promise<void>;
  /** Reads what is stored, and asks Stripe for what is not. What tests call. */
  tick(): Promise<void>;
}

/** Makes a book that knows `catalog`, the price that is sold, at least as the configuration says. */
export function createPriceBook(deps: {
  store: IdentityStore;
  billing: Pick<CatalogBilling, 'findPriceById'>;
  clock: Clock;
  log: Log;
  catalog: { priceId: string; terms: PriceTerms };
}): PriceBook {
  const { store, billing, catalog } = deps;
  const known = new Map<string, PriceTerms>();
  const wanted = new Set([catalog.priceId]);
  const asked = new Map<string, Promise<void>>();

  async function find(priceId: string): Promise<void> {
    const stored = await store.findMark(priceMark(priceId));
    if (stored !== undefined) {
      // Only this program writes the mark, from terms.
      known.set(priceId, JSON.parse(stored) as PriceTerms);
    } else {
      const price = await billing.findPriceById(priceId);
      if (!price) deps.log.warn('Stripe does not know a price that a customer has', { price: priceId });
      if (price) await store.recordMark(priceMark(priceId), JSON.stringify(price.terms));
      known.set(priceId, price?.terms ?? catalog.terms);
    }
    wanted.delete(priceId);
  }

  /** What is not told in time is left to the loop. */
  async function ask(priceId: string): Promise<void> {
    wanted.add(priceId);
    const told = new AbortController();
    const asking = find(priceId)
      .catch((error: unknown) =>
        deps.log.warn('a price is guessed until Stripe tells it', { priceId, error }),
      )
      .finally(() => told.abort());
    await Promise.race([asking, deps.clock.sleep(waitMaxMs, told.signal)]);
  }

  async function tick(): Promise<void> {
    for (const priceId of wanted) await find(priceId);
  }

  const loop = createLoop({ name: 'prices', clock: deps.clock, log: deps.log, intervalMs, tick });
  return {
    ...loop,
    termsOf: (priceId) => known.get(priceId) ?? catalog.terms,
    async ready(priceId) {
      if (known.has(priceId)) return;
      const asking = asked.get(priceId) ?? (asked.size < pricesMax ? ask(priceId) : undefined);
      if (asking) asked.set(priceId, asking);
      await asking;
    },
    tick,
  };
}
