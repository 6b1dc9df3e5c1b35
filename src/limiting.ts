/** What stands before every paid call, and tells when limits come near: prices, admission, alerts. */

import { type AdmissionControl, createAdmission } from './access/admission.js';
import { createPriceBook, type PriceBook } from './access/price-book.js';
import { type Alerter, createAlerter } from './alerts/alerter.js';
import { createSinks } from './alerts/sinks.js';
import { minorFromMajor } from './domain/money.js';
import type { Closers } from './lib/closers.js';
import { perUnitTerms } from './lib/pricing.js';
import type { Parts } from './services.js';

/** The services of limits; each has a loop. */
export interface Limiting {
  prices: PriceBook;
  admission: AdmissionControl;
  alerter: Alerter;
}

/** Puts them together. Until Stripe has told what it bills, the price is taken from the configuration. */
export function createLimiting(parts: Parts, closers: Closers): Limiting {
  const { settings, catalog, catalogIds, host, machine, store, billing } = parts;
  const { clock, log } = host;
  const { currency, eventName: meter } = catalog;
  const sold = { priceId: catalogIds.price, terms: perUnitTerms(minorFromMajor(catalog.price, currency)) };
  const prices = closers.add(createPriceBook({ store, billing, clock, log, catalog: sold }));
  const sinks = createSinks(settings.alerts, machine);
  const alerter = closers.add(createAlerter({ store, host: machine, clock, currency, sinks }));
  const { thresholds } = settings.alerts;
  const admission = closers.add(
    createAdmission({
      ...{ store, clock, log, meter },
      defaults: settings.limits,
      termsOf: prices.termsOf,
      termsReady: prices.ready,
      alerts: { thresholds, crossed: alerter.note },
    }),
  );
  return { prices, admission, alerter };
}
