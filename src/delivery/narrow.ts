/** Finds where in a range Stripe and what stands here differ: by the hour first, then by the minute. */

import { driftCause, type SpanSums, sumSpans } from '../domain/reconciliation.js';
import type { ReconciliationStore } from '../domain/store.js';
import type { Period } from '../domain/subscription.js';
import type { Clock } from '../lib/host.js';
import type { MeterReader } from './meter-reader.js';

/** Stripe counts by whole minutes, and lists by whole hours (stripe-facts 3f). */
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** So many differing hours of a customer are looked at minute by minute; the rest is told by the hour. */
const narrowedHoursMax = 48;

/** What it needs. */
export interface NarrowDeps {
  store: ReconciliationStore;
  reader: MeterReader;
  clock: Clock;
  /** The meter's event name. */
  meter: string;
  /** How long after it was accepted usage need not show in Stripe's counts. */
  lagMs: number;
}

/** What stands here of the span, in steps. */
export function sumHere(
  { store, meter }: NarrowDeps,
  customerId: string,
  span: Period,
  stepMs: number,
  settledBeforeMs: number,
): Promise<SpanSums[]> {
  return store.sumStamped({ customerId, meter, ...span }, { stepMs, settledBeforeMs });
}

/** Minutes that seem to differ, or hours beyond a number of them. Usage goes on meanwhile, so each is looked at again. */
export async function suspectsOf(
  deps: NarrowDeps,
  customerId: string,
  range: Period,
  hoursHere: readonly SpanSums[],
): Promise<Period[]> {
  const found: Period[] = [];
  let narrowed = 0;
  for (const { hour, stripe } of await hoursAtStripe(deps, customerId, range)) {
    const sums = sumSpans(hour, within(hour, hoursHere));
    if (driftCause(sums, stripe) === undefined) continue;
    narrowed += 1;
    if (narrowed > narrowedHoursMax) found.push(hour);
    else found.push(...(await minutesOf(deps, customerId, hour, stripe)));
  }
  return found;
}

/** The hours of the range with Stripe's counts; the first and the last may be shorter. */
async function hoursAtStripe(
  { reader }: NarrowDeps,
  customerId: string,
  range: Period,
): Promise<{ hour: Period; stripe: number }[]> {
  const firstMs = Math.min(range.endMs, Math.ceil(range.startMs / hourMs) * hourMs);
  const lastMs = Math.max(firstMs, Math.floor(range.endMs / hourMs) * hourMs);
  const hours: { hour: Period; stripe: number }[] = [];
  const addPart = async (hour: Period) => {
    if (hour.startMs < hour.endMs) hours.push({ hour, stripe: await reader.sum(customerId, hour) });
  };
  await addPart({ startMs: range.startMs, endMs: firstMs });
  if (firstMs < lastMs) {
    const counted = await reader.listHours(customerId, { startMs: firstMs, endMs: lastMs });
    const units = new Map(counted.map((sum) => [sum.startMs, sum.units]));
    for (let startMs = firstMs; startMs < lastMs; startMs += hourMs)
      hours.push({ hour: { startMs, endMs: startMs + hourMs }, stripe: units.get(startMs) ?? 0 });
  }
  await addPart({ startMs: lastMs, endMs: range.endMs });
  return hours;
}

/** Halves an hour again and again where it differs: Stripe adds up by any whole minutes, but lists none by minute. */
async function minutesOf(
  deps: NarrowDeps,
  customerId: string,
  hour: Period,
  stripeOfHour: number,
): Promise<Period[]> {
  const settledBeforeMs = deps.clock.nowMs() - deps.lagMs;
  const minutesHere = await sumHere(deps, customerId, hour, minuteMs, settledBeforeMs);

  async function halve(span: Period, stripe: number): Promise<Period[]> {
    if (driftCause(sumSpans(span, within(span, minutesHere)), stripe) === undefined) return [];
    const minutes = (span.endMs - span.startMs) / minuteMs;
    if (minutes <= 1) return [span];
    const middleMs = span.startMs + Math.floor(minutes / 2) * minuteMs;
    const first = { startMs: span.startMs, endMs: middleMs };
    const stripeOfFirst = await deps.reader.sum(customerId, first);
    const second = { startMs: middleMs, endMs: span.endMs };
    return [...(await halve(first, stripeOfFirst)), ...(await halve(second, stripe - stripeOfFirst))];
  }

  return halve(hour, stripeOfHour);
}

function within({ startMs, endMs }: Period, spans: readonly SpanSums[]): SpanSums[] {
  return spans.filter((span) => span.startMs >= startMs && span.startMs < endMs);
}
