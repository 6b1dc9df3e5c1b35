/** Admission on a real store, with a subscribed customer. */

import { type AdmissionDeps, createAdmission, type Decision } from '../../src/access/admission.js';
import type { Caller } from '../../src/access/caller-limits.js';
import type { Admission } from '../../src/access/reservation.js';
import type { LimitSubject, Limits } from '../../src/domain/limit.js';
import type { RecordedUsage } from '../../src/domain/usage.js';
import { pairs } from '../../src/lib/header-list.js';
import { perUnitTerms } from '../../src/lib/pricing.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { addSubscriber, newStorePath, openTestStore } from '../support/store.js';

/** The meter and the window of these tests. */
const metering = { meter: 'calls', windowMs: 2_000 };

/** What the answer of a call says of limits. */
export function headersOf(admission: Admission): Record<string, string> {
  return Object.fromEntries(pairs(admission.headers()));
}

/** A new store and admission that has not seen it yet. */
export async function openAdmission(over: Partial<AdmissionDeps> = {}) {
  const host = createFakeHost();
  const path = newStorePath();
  const store = await openTestStore(host, path);
  const { customer, key } = await addSubscriber(store, host);
  // Every reading of the key is another object, as look-ups make them.
  const reread = (): Caller => ({ customer, key: { ...key } });
  const admission = openOn({ store, host }, over);
  let caller = reread();
  return {
    ...{ host, store, path, admission, customer, key },
    /** Sets limits as the command line does, and has the key read anew. */
    async set(
      limits: Limits | undefined,
      subject: LimitSubject = { kind: 'customer', customerId: customer.id },
    ) {
      await store.recordLimits(subject, limits, { actor: 'system', atMs: 0 });
      caller = reread();
    },
    admit: (units = 1, by = admission, atMs = host.clock.nowMs()): Decision | Promise<Decision> =>
      by.admit({ caller, priceId: 'price_1', units, atMs }),
    /** What an answer says that takes nothing. */
    headers: async (by: Pick<typeof admission, 'headers'> = admission): Promise<Record<string, string>> =>
      Object.fromEntries(pairs(await by.headers({ caller, priceId: 'price_1' }))),
    /** Commits usage, as a call of this process or another. */
    async record(units: number, atMs = host.clock.nowMs()): Promise<RecordedUsage> {
      const use = { customer, keyNo: key.no, route: 'GET /api', units, atMs };
      const [recorded] = await store.recordUsage([usageRow(use, metering)], host.clock.nowMs());
      return recorded!;
    },
  };
}

/** Admission on a store that is open already: what a restart makes. */
export function openOn(
  on: { store: AdmissionDeps['store']; host: FakeHost },
  over: Partial<AdmissionDeps> = {},
) {
  const { clock, log } = on.host;
  const termsOf = () => perUnitTerms('5');
  const alerts = { thresholds: [], crossed: () => true };
  return createAdmission({
    alerts,
    store: on.store,
    clock,
    log,
    meter: 'calls',
    defaults: {},
    termsOf,
    termsReady: async () => undefined,
    ...over,
  });
}
