/** How this Stripe misbehaves on demand. Kept in the database, so that any process may set it for all. */

import { z } from 'zod';
import type { Database } from './database.js';
import type { Settings } from './settings.js';

/** A probability, 0 to 1. */
const rate = z.number().min(0).max(1).default(0);

/** Everything that can be set, with what it is when nothing is: a Stripe in good health. */
const faultsSchema = z.strictObject({
  /** Share of requests refused with 429, `Retry-After` and `Stripe-Rate-Limited-Reason`. */
  rateLimited: rate,
  /** `Retry-After` of a 429, seconds. */
  retryAfterSec: z.int().min(0).default(1),
  /** Share of requests that fail with a 500 once they have begun; stored under the idempotency key, as Stripe does. */
  serverError: rate,
  /** Share of requests answered by a load balancer's 502 page in HTML; nothing is processed. */
  badGateway: rate,
  /** Share of requests whose connection is reset before anything is processed. */
  resetBefore: rate,
  /** Share of requests that are processed, and whose connection is then reset instead of an answer. */
  resetAfter: rate,
  /** Added to every request, after its idempotency key is taken and before it is processed. */
  latencyMs: z.int().min(0).max(300_000).default(0),
  /** Every connection is reset until this time of the machine's clock. 0: no outage. */
  outageUntilMs: z.int().min(0).default(0),
  /** Share of webhook deliveries that are sent twice. */
  duplicateWebhooks: rate,
  /** Share of webhook deliveries that are held back for a moment, so that later ones overtake them. */
  reorderWebhooks: rate,
  /** Requests allowed in one second of the machine's clock, for all processes together. Null: any number. */
  requestsPerSecond: z.int().min(1).nullable().default(null),
  /** Refuse a second meter event for a customer and meter while one is in flight (stripe-facts 3a). */
  oneCallPerCustomerAndMeter: z.boolean().default(false),
  /** Event summaries do not show what was received in the last so many seconds (stripe-facts 3f). */
  summaryLagSec: z.int().min(0).default(0),
  /** Lists do not show what was made in the last so many seconds; to ask by its id does (stripe-facts 2). */
  listLagSec: z.int().min(0).default(0),
  /** How long refused meter events are collected before one report about them (stripe-facts 3d: about 10 s). */
  errorReportDelaySec: z.int().min(0).default(10),
  /** What becomes of a subscription whose last payment retry failed; Stripe's Dashboard asks (stripe-facts 8). */
  afterLastRetry: z.enum(['cancel', 'unpaid', 'past_due']).default('cancel'),
});

/** All faults, with their values. */
export type Faults = z.output<typeof faultsSchema>;

/** The faults of an account. */
export interface FaultSettings {
  get(): Faults;
  /** Changes what is given and keeps the rest. Throws a ZodError on a value that makes no sense. */
  set(change: Partial<Faults>): Faults;
  /** Back to good health. */
  reset(): void;
  /** Counts a request against `requestsPerSecond`. False when that second is full. */
  admit(nowMs: number): boolean;
}

const key = 'faults';
const rateKey = 'requests_this_second';

/** The faults stored in `settings`. */
export function createFaultSettings(database: Database, settings: Settings): FaultSettings {
  let last = { text: '', value: faultsSchema.parse({}) };
  const faults: FaultSettings = {
    get() {
      const text = settings.get(key) ?? '{}';
      if (text !== last.text) last = { text, value: faultsSchema.parse(JSON.parse(text)) };
      return last.value;
    },
    set(change) {
      const next = faultsSchema.parse({ ...faults.get(), ...change });
      settings.set(key, JSON.stringify(next));
      return next;
    },
    reset: () => settings.set(key, '{}'),
    admit(nowMs) {
      const { requestsPerSecond } = faults.get();
      if (requestsPerSecond === null) return true;
      return database.write(() => {
        const second = String(Math.floor(nowMs / 1000));
        const [counted, count] = (settings.get(rateKey) ?? '').split(':');
        const sofar = counted === second ? Number(count) : 0;
        settings.set(rateKey, `${second}:${sofar + 1}`);
        return sofar < requestsPerSecond;
      });
    },
  };
  return faults;
}
