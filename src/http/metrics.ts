/** Counts what the daemon does, for Prometheus; the one home of prom-client. No label holds a secret or a customer. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { findLastReconciliation } from '../delivery/daily-reconcile.js';
import type { CourierState } from '../delivery/pace.js';
import type { MeterEventBilling } from '../domain/billing.js';
import type { DeliveryStore, IdentityStore, UsageStore } from '../domain/store.js';
import type { RecordedUsage } from '../domain/usage.js';
import type { Clock } from '../lib/host.js';
import type { Receipt } from '../webhooks/inbox.js';

/** What is read when the metrics are asked for. */
export interface MetricsSources {
  store: DeliveryStore & IdentityStore;
  ledger: { queued(): number };
  courier(): CourierState;
  /** With Stripe's time. */
  clock: Clock;
}

/** The metrics of one daemon. */
export interface Metrics {
  contentType: string;
  /** Prometheus text. What the database does not tell is left out. */
  text(sources: MetricsSources): Promise<string>;
  /** Counts a paid call by what it came to: `ok`, a refusal's code, … */
  countCall(outcome: string): void;
  /** Counts answers of an upstream that broke off behind their head. */
  countBrokenOff(): void;
  /** Counts what an upstream told of units that cannot be billed. */
  countMisreport(): void;
  /** Counts a webhook by what came of receiving it. */
  countWebhook(receipt: Receipt): void;
  /** The same store, whose commits are counted. */
  measureLedger<T extends UsageStore>(store: T): T;
  /** The same Stripe, whose answers to meter events and cancellations are counted. */
  measureSending<T extends MeterEventBilling>(billing: T): T;
}

const commitBucketsSec = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const batchBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** Makes the metrics; all counts are 0. `clock` is the machine's, which commits are timed by. */
export function createMetrics(clock: Clock): Metrics {
  const registry = new Registry();
  const counted = createCounters(registry);
  const gauges = createGauges(registry);
  return {
    contentType: registry.contentType,
    async text(sources) {
      await readGauges(gauges, sources);
      return registry.metrics();
    },
    countCall: byOutcome(counted.calls),
    countBrokenOff: () => counted.brokenOff.inc(),
    countMisreport: () => counted.misreports.inc(),
    countWebhook: (receipt) => counted.webhooks.inc({ receipt }),
    measureLedger: (store) => ({
      ...store,
      recordUsage(entries, nowMs) {
        const startMs = clock.nowMs();
        const noteWritten = (recorded: RecordedUsage[]) => {
          counted.commitSeconds.observe(Math.max(0, clock.nowMs() - startMs) / 1000);
          counted.batchSize.observe(entries.length);
          let units = 0;
          for (const row of recorded) if (row.recorded === 'new') units += Math.max(0, row.units);
          counted.units.inc(units);
          return recorded;
        };
        const noteFailed = (error: unknown) => {
          counted.commitFailures.inc();
          throw error;
        };
        const recorded = store.recordUsage(entries, nowMs);
        return recorded instanceof Promise ? recorded.then(noteWritten, noteFailed) : noteWritten(recorded);
      },
    }),
    measureSending: (billing) => ({
      ...billing,
      async sendMeterEvent(event) {
        const answer = await billing.sendMeterEvent(event);
        counted.sent.inc({ outcome: answer.kind });
        return answer;
      },
      async cancelMeterEvent(cancellation) {
        const answer = await billing.cancelMeterEvent(cancellation);
        counted.cancelled.inc({ outcome: answer.kind });
        return answer;
      },
    }),
  };
}

/** Counts outcomes, each looked up once: prom-client checks and hashes labels at every look-up. */
function byOutcome(counter: Counter<'outcome'>): (outcome: string) => void {
  const children = new Map<string, Counter.Internal>();
  return (outcome) => {
    const child = children.get(outcome) ?? counter.labels(outcome);
    children.set(outcome, child);
    child.inc();
  };
}

/** What is counted while it happens. */
function createCounters(registry: Registry) {
  const registers = [registry];
  return {
    calls: new Counter({
      ...{ name: 'meterctl_paid_calls_total', help: 'Calls of the paid endpoint by outcome.' },
      ...{ labelNames: ['outcome'], registers },
    }),
    brokenOff: new Counter({
      ...{ name: 'meterctl_upstream_broken_answers_total', registers },
      help: 'Answers of the upstream that broke off behind their head.',
    }),
    misreports: new Counter({
      ...{ name: 'meterctl_upstream_misreports_total', registers },
      help: 'Answers of the upstream that told no usable units, and were billed by the fallback.',
    }),
    units: new Counter({
      ...{ name: 'meterctl_units_recorded_total', help: 'Units written to the ledger.', registers },
    }),
    commitSeconds: new Histogram({
      ...{ name: 'meterctl_ledger_commit_seconds', help: 'How long one commit of the ledger took.' },
      ...{ buckets: commitBucketsSec, registers },
    }),
    batchSize: new Histogram({
      ...{ name: 'meterctl_ledger_batch_size', help: 'Usages in one commit of the ledger.' },
      ...{ buckets: batchBuckets, registers },
    }),
    commitFailures: new Counter({
      ...{
        name: 'meterctl_ledger_commit_failures_total',
        help: 'Commits of the ledger that failed.',
        registers,
      },
    }),
    sent: new Counter({
      ...{ name: 'meterctl_meter_events_sent_total', help: "Meter events sent by Stripe's answer." },
      ...{ labelNames: ['outcome'], registers },
    }),
    cancelled: new Counter({
      ...{ name: 'meterctl_meter_event_cancellations_total', help: "Cancellations sent by Stripe's answer." },
      ...{ labelNames: ['outcome'], registers },
    }),
    webhooks: new Counter({
      ...{ name: 'meterctl_webhooks_received_total', help: 'Webhooks by what came of receiving them.' },
      ...{ labelNames: ['receipt'], registers },
    }),
  };
}

type Gauges = ReturnType<typeof createGauges>;

/** What is read at the moment of asking. */
function createGauges(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `meterctl_${name}`, help, labelNames, registers });
  return {
    queueLength: gauge('ledger_queue_length', 'Calls that wait for the ledger.'),
    courierStopped: gauge('courier_stopped', '1 while Stripe refuses the key and no usage is sent.'),
    deliveries: gauge('deliveries', 'Deliveries by state.', ['state']),
    oldestPending: gauge(
      'oldest_pending_seconds',
      'Age of the oldest usage that Stripe does not have; 0 for none.',
    ),
    drift: gauge('reconcile_drift', 'Spans of time that differ from what Stripe counts, by cause.', [
      'cause',
    ]),
    driftUnits: gauge(
      'reconcile_drift_units',
      'Units that differ from what Stripe counts, at the last comparison.',
    ),
    reconcileAge: gauge(
      'reconcile_age_seconds',
      'How long ago usage was last compared with what Stripe counts.',
    ),
  };
}

async function readGauges(gauges: Gauges, { store, ledger, courier, clock }: MetricsSources): Promise<void> {
  gauges.queueLength.set(ledger.queued());
  gauges.courierStopped.set(courier().stopped === null ? 0 : 1);
  const { deliveries, oldestPending, drift, driftUnits, reconcileAge } = gauges;
  for (const labelled of [deliveries, drift]) labelled.reset();
  for (const single of [oldestPending, driftUnits, reconcileAge]) single.remove();
  const nowMs = clock.nowMs();
  try {
    const { oldestPendingMs, ...states } = await store.countDeliveries(nowMs);
    for (const [state, count] of Object.entries(states)) deliveries.set({ state }, count);
    oldestPending.set((oldestPendingMs ?? 0) / 1000);
    const last = await findLastReconciliation(store);
    if (!last) return;
    for (const [cause, count] of Object.entries(last.drift)) drift.set({ cause }, count);
    driftUnits.set(last.driftUnits);
    reconcileAge.set(Math.max(0, nowMs - last.atMs) / 1000);
  } catch {
    // A database that cannot be read shows in /readyz; what this process has counted is still worth telling.
  }
}
