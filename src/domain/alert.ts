/** Alerts: that a customer's usage has reached a part of one of its limits. */

import type { Page, PageRequest } from './page.js';

/** Which limit it is about. */
export type AlertedLimit = 'quota' | 'spend_cap' | 'prepaid_units';

/** That a threshold was reached. Amounts are units, of a spend cap minor units of money. */
export interface Crossing {
  customerId: string;
  /** The meter's event name. */
  meter: string;
  limit: AlertedLimit;
  /** In percent of what is allowed. */
  threshold: number;
  used: number;
  allowed: number;
  /** What the limit is counted over; prepaid units have no end. */
  window: { startMs: number; endMs: number | null };
}

/** A crossing that is told: once for a window and what is allowed in it. */
export interface Alert extends Crossing {
  /** `alt_…`. */
  id: string;
  raisedAtMs: number;
  sends: AlertSend[];
}

/** A crossing that is about to be kept. */
export interface NewAlert extends Crossing {
  id: string;
  raisedAtMs: number;
}

/** Where alerts go. */
export type AlertSink = 'webhook' | 'command';

/** How one alert is on its way to one place. `failed`: it is not tried any more. */
export interface AlertSend {
  sink: AlertSink;
  state: 'pending' | 'sent' | 'failed';
  attempts: number;
  nextAttemptAtMs: number;
  /** Why the last attempt failed. */
  reason: string | null;
}

/** An alert that is to be sent to one place now. */
export interface DueAlert {
  alert: NewAlert;
  sink: AlertSink;
  /** This attempt's number, from 1. */
  attempts: number;
}

/** What came of an attempt. */
export type AlertOutcome =
  | { kind: 'sent' }
  | { kind: 'retry'; atMs: number; reason: string }
  | { kind: 'failed'; reason: string };

/** Keeps alerts and their way. */
export interface AlertStore {
  /** Keeps those that are new, each to be sent to these places from `nowMs` on. Returns how many. */
  recordAlerts(alerts: readonly NewAlert[], sinks: readonly AlertSink[], nowMs: number): Promise<number>;
  /** Sends that are due, oldest first. They are due again at `leaseUntilMs` unless they are settled before. */
  claimAlerts(claim: { nowMs: number; leaseUntilMs: number; limit: number }): Promise<DueAlert[]>;
  settleAlert(id: string, sink: AlertSink, outcome: AlertOutcome): Promise<void>;
  /** Newest first. */
  listAlerts(filter: { customerId?: string | undefined }, page: PageRequest): Promise<Page<Alert>>;
}
