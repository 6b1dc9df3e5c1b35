/** Compares one customer: each billing period at once, and only where that differs the hours of it, then the minutes. */

import { MeterctlError } from '../domain/error.js';
import {
  type Drift,
  type DriftCause,
  driftCause,
  type SpanSums,
  type StampedRange,
  sumSpans,
} from '../domain/reconciliation.js';
import type { Period, Subscription } from '../domain/subscription.js';
import { billedParts } from './billed-parts.js';
import { hourMs, minuteMs, type NarrowDeps, sumHere, suspectsOf } from './narrow.js';

/** So many deliveries are named for a span. */
const namedMax = 20;

/** What comparing needs. */
export interface CompareDeps extends NarrowDeps {
  /** Settles what the count of a minute proves, and returns how much. */
  settle(minute: StampedRange, stripe: number, settledBeforeMs: number): Promise<number>;
}

/** What came of it. */
export interface CustomerComparison {
  /** Neighbouring minutes with one cause are one drift. */
  drift: Drift[];
  /** How many deliveries were settled or are sent again. */
  repaired: number;
}

/** One reading of both sides. */
interface Reading {
  stripe: number;
  sums: SpanSums;
  /** What stands here, by the steps asked for. */
  steps: SpanSums[];
  cause: DriftCause | undefined;
  settledBeforeMs: number;
}

/** Compares. The ends of the range lie on whole minutes. Throws what reading throws. */
export async function compareCustomer(
  deps: CompareDeps,
  { id: customerId, subscriptions }: { id: string; subscriptions: readonly Subscription[] },
  range: Period,
): Promise<CustomerComparison> {
  const drift: Drift[] = [];
  let repaired = 0;
  for (const part of billedParts(subscriptions, range)) {
    const reading = await read(deps, customerId, part, hourMs);
    if (reading === 'no_such_customer')
      return { drift: await unknownCustomer(deps, customerId, range), repaired };
    if (reading.cause === undefined) continue;
    for (const suspect of await suspectsOf(deps, customerId, part, reading.steps)) {
      const examined = await examine(deps, customerId, suspect);
      repaired += examined.repaired;
      if (examined.drift) drift.push(examined.drift);
    }
  }
  return { drift: joined(drift), repaired };
}

/** Reads Stripe first and what stands here after it: what is delivered in between counts as unsettled then. */
async function read(
  deps: CompareDeps,
  customerId: string,
  span: Period,
  stepMs: number,
): Promise<Reading | 'no_such_customer'> {
  const settledBeforeMs = deps.clock.nowMs() - deps.lagMs;
  let stripe: number;
  try {
    stripe = await deps.reader.sum(customerId, span);
  } catch (error) {
    if (error instanceof MeterctlError && error.code === 'not_found') return 'no_such_customer';
    throw error;
  }
  const steps = await sumHere(deps, customerId, span, stepMs, settledBeforeMs);
  const sums = sumSpans(span, steps);
  return { stripe, sums, steps, cause: driftCause(sums, stripe), settledBeforeMs };
}

/** Looks at a suspect once more by itself, settles what that proves, and tells what remains. */
async function examine(
  deps: CompareDeps,
  customerId: string,
  span: Period,
): Promise<{ drift?: Drift; repaired: number }> {
  const reading = await read(deps, customerId, span, minuteMs);
  if (reading === 'no_such_customer' || reading.cause === undefined) return { repaired: 0 };
  const { stripe, settledBeforeMs } = reading;
  let { sums } = reading;
  const isMinute = span.endMs - span.startMs <= minuteMs;
  const repaired = isMinute
    ? await deps.settle({ customerId, meter: deps.meter, ...span }, stripe, settledBeforeMs)
    : 0;
  if (repaired > 0) sums = sumSpans(span, await sumHere(deps, customerId, span, minuteMs, settledBeforeMs));
  const cause = driftCause(sums, stripe);
  if (cause === undefined) return { repaired };
  return { repaired, drift: await driftOf(deps, customerId, { sums, stripe, cause }) };
}

async function driftOf(
  { store, meter }: CompareDeps,
  customerId: string,
  { sums, stripe, cause }: { sums: SpanSums; stripe: number; cause: DriftCause },
): Promise<Drift> {
  const { startMs, endMs, ledger, pending } = sums;
  const stamped = await store.listStamped({ customerId, meter, startMs, endMs });
  const named = stamped
    .filter(({ state }) => state === 'uncertain' || state === 'refused')
    .map(({ id }) => id);
  return {
    customerId,
    startMs,
    endMs,
    ledger,
    pending,
    stripe,
    cause,
    deliveryIds: named.slice(0, namedMax),
  };
}

/** What Stripe does not know it does not bill; that matters only where something was used. */
async function unknownCustomer(deps: CompareDeps, customerId: string, range: Period): Promise<Drift[]> {
  const sums = sumSpans(range, await sumHere(deps, customerId, range, hourMs, deps.clock.nowMs()));
  if (sums.ledger === sums.pending) return [];
  return [await driftOf(deps, customerId, { sums, stripe: 0, cause: 'no_such_customer' })];
}

function joined(drift: readonly Drift[]): Drift[] {
  const result: Drift[] = [];
  for (const next of drift) {
    const before = result.at(-1);
    if (before && before.endMs === next.startMs && before.cause === next.cause) {
      before.endMs = next.endMs;
      before.ledger += next.ledger;
      before.pending += next.pending;
      before.stripe += next.stripe;
      before.deliveryIds = [...before.deliveryIds, ...next.deliveryIds].slice(0, namedMax);
    } else {
      result.push({ ...next });
    }
  }
  return result;
}
