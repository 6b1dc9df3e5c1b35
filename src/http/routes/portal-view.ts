/** Gathers what the portal shows: from the ledger and the store, and from Stripe as long as it answers in time. */

import { accessOf } from '../../access/access.js';
import { billingPeriodOf, type Customer } from '../../domain/customer.js';
import { MeterctlError } from '../../domain/error.js';
import type { KeyStore } from '../../domain/key-store.js';
import type { UsageStore } from '../../domain/store.js';
import { currentSubscription, type Period } from '../../domain/subscription.js';
import type { Host } from '../../lib/host.js';
import type { InvoiceReader } from '../invoice-reader.js';
import type { Offer } from '../pages/home-page.js';
import type { PortalView } from '../pages/portal-page.js';
import type { PortalUsage, UsageDay } from '../pages/portal-usage.js';
import type { Caller } from './portal-session.js';

/** What the view is gathered from. */
export interface PortalViewDeps {
  store: KeyStore & UsageStore;
  host: Host;
  invoiceOf: InvoiceReader;
  offer: Offer;
  pastDueGraceMs: number;
  /** Where Checkout leads a browser, as sources of a Content-Security-Policy. */
  checkoutSources: readonly string[];
}

/** The page does not wait longer for Stripe. */
const invoicePatienceMs = 4_000;

/** Keys shown; older ones that have ended are left out. */
const keysMax = 100;

/** What is shown to who was never subscribed. */
const daysWithoutPeriod = 30;

const dayMs = 86_400_000;

/** Everything but the notice and what was typed. */
export async function portalView(
  deps: PortalViewDeps,
  { customer, token }: Caller,
): Promise<Omit<PortalView, 'notice' | 'draft'>> {
  const nowMs = deps.host.clock.nowMs();
  const filter = { nowMs, customerId: customer.id };
  const [usage, invoice, active, newest] = await Promise.all([
    usageOf(deps, customer, nowMs),
    invoiceOf(deps, customer),
    deps.store.listKeys({ ...filter, status: 'active' }, { limit: keysMax }),
    deps.store.listKeys(filter, { limit: keysMax }),
  ]);
  const ended = newest.data.filter(({ id }) => !active.data.some((key) => key.id === id));
  return {
    offer: deps.offer,
    nowMs,
    customerName: customer.email ?? customer.name ?? customer.id,
    access: accessOf(customer, nowMs, deps.pastDueGraceMs),
    subscription: currentSubscription(customer.subscriptions),
    usage,
    invoice,
    keys: [...active.data, ...ended],
    token,
    checkoutSources: deps.checkoutSources,
  };
}

/** Usage of the running period by day, as the ledger has it. */
async function usageOf(deps: PortalViewDeps, customer: Customer, nowMs: number): Promise<PortalUsage> {
  const period = billingPeriodOf(customer, nowMs);
  const today = Math.floor(nowMs / dayMs) * dayMs;
  const span = period ?? { startMs: today - (daysWithoutPeriod - 1) * dayMs, endMs: today + dayMs };
  const sums = await deps.store.listUsage(
    { fromMs: span.startMs, toMs: span.endMs, customerId: customer.id },
    'day',
  );
  const byDay = new Map(sums.map(({ bucketMs = 0, units, requests }) => [bucketMs, { units, requests }]));
  const days = daysOf(span, nowMs).map((day) => ({
    dayMs: day,
    ...(byDay.get(day) ?? { units: 0, requests: 0 }),
  }));
  return { period, days, units: sums.reduce((total, { units }) => total + units, 0) };
}

/** The first moment of every UTC day that the span touches, until today. */
function daysOf({ startMs, endMs }: Period, nowMs: number): UsageDay['dayMs'][] {
  const first = Math.floor(startMs / dayMs);
  const last = Math.floor(Math.min(endMs - 1, Math.max(nowMs, startMs)) / dayMs);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * dayMs);
}

/** The coming invoice, unless Stripe cannot be asked or takes too long. That is a state of the page, not its end. */
async function invoiceOf(deps: PortalViewDeps, customer: Customer): Promise<PortalView['invoice']> {
  const { clock, log } = deps.host;
  const answered = new AbortController();
  const patience = clock.sleep(invoicePatienceMs, answered.signal).then(() => 'unavailable' as const);
  try {
    return await Promise.race([deps.invoiceOf(customer.id), patience]);
  } catch (error) {
    if (!(error instanceof MeterctlError) || error.code === 'internal') throw error;
    if (error.code === 'not_found') return 'none';
    log.warn('the coming invoice cannot be shown', { customer: customer.id, reason: error.message });
    return 'unavailable';
  } finally {
    answered.abort();
  }
}
