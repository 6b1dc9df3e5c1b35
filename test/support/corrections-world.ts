/** A ledger, a courier and Stripe between which everything can go wrong, for tests of what is taken back. */

import type Stripe from 'stripe';
import { type Courier, createCourier } from '../../src/delivery/courier.js';
import { rejectDeliveries } from '../../src/delivery/reject-deliveries.js';
import type {
  Billing,
  CancellationAnswer,
  MeterEventAnswer,
  MeterEventBilling,
} from '../../src/domain/billing.js';
import {
  type ClaimedDelivery,
  type Delivery,
  idempotencyKeyOf,
  identifierOf,
} from '../../src/domain/delivery.js';
import type { Store } from '../../src/domain/store.js';
import type { VoidedUsage } from '../../src/domain/usage.js';
import type { Emulator } from '../../src/emulator/server.js';
import { recordUsageOnce } from '../../src/metering/record-once.js';
import { voidUsage } from '../../src/metering/void-usage.js';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { createTestBilling, openTestEmulator } from './emulator.js';
import { createFakeHost, type FakeHost } from './host.js';
import { addSubscriber, openTestStore } from './store.js';

const running = new AbortController().signal;
const minute = 60_000;
const day = 86_400_000;
const meter = 'calls';

/**
 * What happens to one request. `busy`: it is not processed, and that is known. `dropped`: not processed either, but nobody
 * answers. `lost`: processed, and nobody answers. `failed`: processed, and answered with 500. `refused`: a 400. `rejected`:
 * accepted, never counted, and reported later.
 */
export type Fault = 'none' | 'busy' | 'dropped' | 'lost' | 'failed' | 'refused' | 'rejected';

/** One customer's usage, and everything that may happen to it. */
export interface CorrectionsWorld {
  host: FakeHost;
  store: Store;
  emulator: Emulator;
  stripe: Stripe;
  customerId: string;
  meter: string;
  meterId: string;
  periodStartMs: number;
  periodEndMs: number;
  /** How often each fault was met, in all worlds that share a Stripe. */
  met: Map<Fault, number>;
  /** The numbers of the rows with usage above zero. */
  rows: number[];
  /** Records now; below zero as a correction. */
  record(units: number): Promise<void>;
  /** Takes back the row at this place of `rows`. */
  takeBack(row: number): Promise<VoidedUsage>;
  /** A round of the courier, whose requests meet these faults in order, and then none. */
  send(faults: Fault[]): Promise<void>;
  /** A courier takes a lease, sends perhaps, and dies. */
  die(sent: boolean): Promise<void>;
  /** A courier that was taken for dead settles what it sent. */
  answerLate(): Promise<void>;
  /** Stripe reports what it rejected. */
  report(): Promise<void>;
  /** The operator looks up what is uncertain, says what he found, and retries all that is refused. */
  retry(): Promise<void>;
  /** All is well until nothing is under way any more. */
  drain(): Promise<void>;
  /** What Stripe counts for the customer in the period. */
  stripeUnits(): Promise<number>;
}

/** Opens one; a second one shares time and Stripe with `shared`, and has a customer and a database of its own. */
export async function openCorrectionsWorld(shared?: CorrectionsWorld): Promise<CorrectionsWorld> {
  const host = shared?.host ?? createFakeHost();
  const emulator = shared?.emulator ?? (await openTestEmulator(host));
  const stripe = createTestStripe(emulator);
  const billing = createTestBilling(emulator, host);
  const store = await openTestStore(host);
  const meterId =
    shared?.meterId ?? (await billing.addMeter({ eventName: meter, displayName: 'Calls' }, 'once')).id;
  const { id: customerId } = await stripe.customers.create({ email: 'ada@example.com' });
  const periodStartMs = Math.floor(host.clock.nowMs() / day) * day;
  const periodEndMs = periodStartMs + 1_500 * day;
  const period = { startMs: periodStartMs, endMs: shared ? periodEndMs : periodStartMs + 30 * day };
  await addSubscriber(store, host, customerId, { period, anchorMs: periodStartMs });
  const met = shared?.met ?? new Map<Fault, number>();
  const mail = createFaultyBilling(billing, met);
  const courier = createCourier({
    ...{ store, host, billing: mail, ratePerSecond: 1_000 },
    periodCheck: async () => ({ kind: 'billable' }),
    verify: async () => undefined,
  });
  const rows: number[] = [];
  return {
    met,
    ...{
      host,
      store,
      emulator,
      stripe,
      customerId,
      meter,
      meterId,
      periodStartMs,
      periodEndMs: period.endMs,
      rows,
    },
    ...createLedgerMoves({ host, store, customerId, rows }),
    ...createCourierMoves({ host, store, courier, mail }),
    async stripeUnits() {
      const start_time = Math.floor(periodStartMs / 1_000);
      const end_time = Math.ceil((host.clock.nowMs() + minute) / minute) * 60;
      const { data } = await stripe.billing.meters.listEventSummaries(meterId, {
        customer: customerId,
        start_time,
        end_time,
      });
      return data.reduce((sum, { aggregated_value }) => sum + aggregated_value, 0);
    },
  };
}

type Parts = Pick<CorrectionsWorld, 'host' | 'store' | 'customerId' | 'rows'>;

function createLedgerMoves({
  host,
  store,
  customerId,
  rows,
}: Parts): Pick<CorrectionsWorld, 'record' | 'takeBack'> {
  return {
    async record(units) {
      const reported = { customerId, units, correct: units < 0, atMs: host.clock.nowMs() };
      const { id } = await recordUsageOnce({ store, host, settings: { meter, windowMs: 5_000 } }, reported);
      if (units > 0) rows.push(id);
    },
    takeBack: (row) =>
      voidUsage({ store, host }, { usageId: rows[row] ?? 0, reason: 'a mistake', actor: 'system' }),
  };
}

type CourierMoves = Pick<CorrectionsWorld, 'send' | 'die' | 'answerLate' | 'report' | 'retry' | 'drain'>;

function createCourierMoves(
  parts: Pick<CorrectionsWorld, 'host' | 'store'> & { courier: Courier; mail: FaultyBilling },
): CourierMoves {
  const { host, store, courier, mail } = parts;
  const late: ClaimedDelivery[] = [];

  const moves: CourierMoves = {
    async send(faults) {
      mail.faults = [...faults];
      await courier.tick(running);
      mail.faults = [];
    },
    async die(sent) {
      const nowMs = host.clock.nowMs();
      await store.freezeDeliveries(nowMs);
      for (const claimed of await store.claimDeliveries({ nowMs, leaseMs: 30_000, limit: 1 })) {
        if (!sent) continue;
        const { kind } = await sendAsCourier(mail, claimed);
        if (kind === 'accepted' || kind === 'duplicate') late.push(claimed);
      }
    },
    async answerLate() {
      const settlements = late.splice(0).map(({ id, identifierNumber, claimId }) => ({
        id,
        identifierNumber,
        claimId,
        outcome: { kind: 'delivered' as const },
      }));
      await store.settleDeliveries(settlements, host.clock.nowMs());
    },
    async report() {
      const rejections = mail.reports.splice(0).map((identifier) => ({ identifier, reason: 'rejected' }));
      const findMeterRejections = async () => ({ rejections, errorCount: rejections.length });
      await rejectDeliveries({ store, host, billing: { ...mail.billing, findMeterRejections } }, 'evt_1');
    },
    async retry() {
      const uncertain = await store.listDeliveries({ state: 'uncertain' }, { limit: 1_000 });
      for (const delivery of uncertain.data) {
        const as = mail.has(delivery) ? 'delivered' : 'refused';
        await store.settleByHand([delivery.id], as, { actor: 'system', atMs: host.clock.nowMs() });
      }
      const { data } = await store.listDeliveries({ state: 'refused' }, { limit: 1_000 });
      await store.retryDeliveries(
        data.map(({ id }) => id),
        host.clock.nowMs(),
      );
    },
    async drain() {
      for (let rounds = 0; rounds < 10; rounds += 1) {
        await moves.report();
        await moves.retry();
        await store.hastenDeliveries(host.clock.nowMs());
        host.jump(host.clock.nowMs() + 6 * minute);
        await moves.send([]);
      }
    },
  };
  return moves;
}

function sendAsCourier(mail: FaultyBilling, delivery: ClaimedDelivery): Promise<CancellationAnswer> {
  const { cancels, customerId, units, timestampMs } = delivery;
  const idempotencyKey = idempotencyKeyOf(delivery);
  if (cancels !== null) return mail.cancelMeterEvent({ meter, identifier: cancels, idempotencyKey });
  const identifier = identifierOf(delivery);
  return mail.sendMeterEvent({ meter, identifier, idempotencyKey, customerId, units, timestampMs });
}

interface FaultyBilling extends MeterEventBilling {
  billing: Billing;
  /** What the next requests meet, in order. */
  faults: Fault[];
  /** Whether Stripe has taken it, as the Dashboard would tell. */
  has(delivery: Delivery): boolean;
  /** What Stripe has rejected and not reported yet, by the Idempotency-Key of its request. */
  reports: string[];
}

/** The real thing, with faults before and after it. */
function createFaultyBilling(billing: Billing, met: Map<Fault, number>): FaultyBilling {
  const counted = new Set<string>();
  const rejected = new Set<string>();
  const cancelled = new Set<string>();

  async function meet<Answer>(process: () => Promise<Answer>, reject: () => Answer | Promise<Answer>) {
    const unanswered = { kind: 'retry', reason: 'a fault', nextKey: false, retryAfterMs: null } as const;
    const fault = mail.faults.shift() ?? 'none';
    met.set(fault, (met.get(fault) ?? 0) + 1);
    switch (fault) {
      case 'none':
        return process();
      case 'busy':
        return { ...unanswered, processed: 'no' as const };
      case 'dropped':
        return { ...unanswered, processed: 'unknown' as const };
      case 'lost':
        await process();
        return { ...unanswered, processed: 'unknown' as const };
      case 'failed':
        await process();
        return { ...unanswered, processed: 'unknown' as const, nextKey: true };
      case 'refused':
        return { kind: 'refused' as const, reason: 'a fault' };
      case 'rejected':
        return reject();
    }
  }

  const mail: FaultyBilling = {
    billing,
    faults: [],
    reports: [],
    has: (delivery) =>
      delivery.cancels === null ? counted.has(identifierOf(delivery)) : cancelled.has(delivery.cancels),
    sendMeterEvent({ identifier, ...event }) {
      const isKnown = () => counted.has(identifier) || rejected.has(identifier);
      return meet<MeterEventAnswer>(
        async () => {
          if (rejected.has(identifier)) return { kind: 'duplicate' };
          counted.add(identifier);
          return billing.sendMeterEvent({ identifier, ...event });
        },
        () => {
          if (isKnown()) return { kind: 'duplicate' };
          rejected.add(identifier);
          mail.reports.push(event.idempotencyKey);
          return { kind: 'accepted' };
        },
      );
    },
    cancelMeterEvent(cancellation) {
      // What was rejected counts nothing, cancelled or not.
      const process = async (): Promise<CancellationAnswer> => {
        const answer: CancellationAnswer = rejected.has(cancellation.identifier)
          ? { kind: 'accepted' }
          : await billing.cancelMeterEvent(cancellation);
        if (answer.kind === 'accepted') cancelled.add(cancellation.identifier);
        return answer;
      };
      return meet(process, process);
    },
  };
  return mail;
}
