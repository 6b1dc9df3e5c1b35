/** Keeps alerts as they are raised, and brings them out: at once, and again until they are taken. */

import type { AlertOutcome, AlertSink, AlertStore, Crossing, DueAlert } from '../domain/alert.js';
import type { Host } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import { alertMessage } from './alert-message.js';
import type { DeliverAlert } from './webhook-sink.js';

const intervalMs = 1_000;

/** What is being sent by a process is left alone for so long. */
const leaseMs = 120_000;

/** So many are sent at the same time. */
const batchMax = 10;

/** More crossings than that are not remembered until they are kept; they must be told again. */
const waitingMax = 10_000;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Pauses after each failed attempt, as Standard Webhooks recommends ("Retry schedule"); then it is given up. */
const pausesMs = [
  5_000,
  5 * minuteMs,
  30 * minuteMs,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * hourMs),
];

/** Raises and sends alerts. The loop does it in the background. */
export interface Alerter extends Loop {
  /**
   * Notes that a threshold was reached. Costs nothing to speak of: it is looked into later. Returns whether it is remembered
   * until then.
   */
  note(crossing: Crossing): boolean;
  /** Keeps what was noted, and sends what is due. What tests call. */
  tick(): Promise<void>;
}

/** Makes an alerter. `clock` has the time of usage, `host` that of the machine. */
export function createAlerter(deps: {
  store: AlertStore;
  host: Host;
  clock: Host['clock'];
  currency: string;
  sinks: ReadonlyMap<AlertSink, DeliverAlert>;
}): Alerter {
  const { store, host, sinks } = deps;
  const waiting = new Map<string, Crossing>();

  async function keep(): Promise<void> {
    const crossings = [...waiting.values()];
    if (crossings.length === 0) return;
    const raisedAtMs = deps.clock.nowMs();
    const alerts = crossings.map((crossing) => ({ ...crossing, id: host.ids.next('alt'), raisedAtMs }));
    await store.recordAlerts(alerts, [...sinks.keys()], host.clock.nowMs());
    for (const crossing of crossings) waiting.delete(nameOf(crossing));
  }

  async function send(due: DueAlert, closing?: AbortSignal): Promise<void> {
    await store.settleAlert(due.alert.id, due.sink, await attempt(due, closing));
  }

  async function attempt({ alert, sink, attempts }: DueAlert, closing?: AbortSignal): Promise<AlertOutcome> {
    const deliver = sinks.get(sink);
    if (!deliver) return { kind: 'failed', reason: 'There is no such place in the settings any more.' };
    try {
      await deliver(alert.id, alertMessage(alert, deps.currency), closing);
      return { kind: 'sent' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      host.log.warn('an alert was not taken', { id: alert.id, sink, attempts, reason });
      const pauseMs = pausesMs[attempts - 1];
      if (pauseMs === undefined) return { kind: 'failed', reason };
      return { kind: 'retry', atMs: host.clock.nowMs() + pauseMs, reason };
    }
  }

  async function tick(closing?: AbortSignal): Promise<void> {
    await keep();
    const nowMs = host.clock.nowMs();
    const due = await store.claimAlerts({ nowMs, leaseUntilMs: nowMs + leaseMs, limit: batchMax });
    await Promise.all(due.map((one) => send(one, closing)));
  }

  const loop = createLoop({ name: 'alerts', clock: host.clock, log: host.log, intervalMs, tick });
  return {
    ...loop,
    note(crossing) {
      const name = nameOf(crossing);
      if (!waiting.has(name) && waiting.size < waitingMax) waiting.set(name, crossing);
      return waiting.has(name);
    },
    tick,
  };
}

/** What makes a crossing one; see `recordAlerts`. */
function nameOf({ customerId, meter, limit, threshold, allowed, window }: Crossing): string {
  return [customerId, meter, limit, threshold, allowed, window.startMs, window.endMs].join(' ');
}
