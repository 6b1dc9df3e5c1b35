/**
 * The storage contract: whole business steps, each atomic and durable inside its engine. No transaction leaves it, and a
 * clash of unique values is a result, not an exception. Throws `unavailable` when the database cannot be read or written.
 */

import type { AlertStore } from './alert.js';
import type { AnswerStore } from './answer.js';
import type { Act, AuditEntry, AuditFilter, NewAuditEntry } from './audit.js';
import type { Checkout } from './checkout.js';
import type { Customer, CustomerReading } from './customer.js';
import type {
  ClaimedDelivery,
  Delivery,
  DeliveryState,
  HandSettlement,
  OutboxStatus,
  Rejection,
  RejectionResult,
  RetryResult,
  Settlement,
} from './delivery.js';
import type { NewApiKey } from './key.js';
import type { KeyStore, KeyTransferStore } from './key-store.js';
import type { LimitSubject, Limits, LimitsFound } from './limit.js';
import type { Mode } from './mode.js';
import type { OpenCallStore } from './open-call.js';
import type { Page, PageRequest } from './page.js';
import type { SpanSums, StampedDelivery, StampedRange, Verdict } from './reconciliation.js';
import type { Period } from './subscription.js';
import type {
  LedgerRow,
  NewUsage,
  RecordedUsage,
  UsageFilter,
  UsageGrouping,
  UsageSum,
  UsageTotals,
  UsageVoid,
  VoidedUsage,
} from './usage.js';
import type { UsageCounts } from './usage-counts.js';
import type { NewWebhook, Webhook, WebhookState } from './webhook.js';

/** Which mode and account the database belongs to, and small marks that must survive a restart. */
export interface IdentityStore {
  /** Binds a fresh database to the mode. Returns the mode that it belongs to, which may be another. */
  bindMode(mode: Mode): Promise<Mode>;
  /** Binds a database without an account to this one. Returns the account that it belongs to. */
  bindAccount(accountId: string): Promise<string>;
  findMark(name: string): Promise<string | undefined>;
  /** `undefined` removes the mark. */
  recordMark(name: string, value: string | undefined): Promise<void>;
}

/** Customers and their subscriptions. */
export interface CustomerStore {
  /**
   * Writes what Stripe told about a customer and all its subscriptions. `stale` when another reading was stored since
   * Stripe was asked; nothing is written then. Keeps `pastDueSinceMs` while a subscription stays past due.
   */
  recordReading(reading: CustomerReading): Promise<Customer | 'stale'>;
  findCustomer(id: string): Promise<Customer | undefined>;
  /** Newest first. */
  listCustomers(page: PageRequest): Promise<Page<Customer>>;
  /** Whether any subscription, also one that has ended, has this price. */
  isSubscribed(priceId: string): Promise<boolean>;
  /** Takes access away, or gives it back. */
  recordSuspension(customerId: string, suspended: boolean, act: Act): Promise<Customer | undefined>;
  /** Marks every subscription that has not ended as being cancelled here, or takes the marks off; the first time counts. */
  recordClosing(customerId: string, closing: boolean, act: Act): Promise<Customer | undefined>;
}

/** The audit log. */
export interface AuditStore {
  /** Writes an entry by itself, for what no commit of ours holds as a whole: it happened at Stripe, or in many steps. */
  recordAudit(entry: NewAuditEntry): Promise<void>;
  /** Newest first. */
  listAudit(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>;
}

/** Limits of keys, customers and plans. */
export interface LimitStore {
  /**
   * Sets these limits at this place, with an entry in the audit log; what is not named stays as it was. `undefined` removes all
   * of them. `unknown`: there is no such key or customer.
   */
  recordLimits(subject: LimitSubject, change: Limits | undefined, act: Act): Promise<'recorded' | 'unknown'>;
  findLimits(caller: {
    keyId?: string | undefined;
    customerId?: string | undefined;
    priceId?: string | undefined;
  }): Promise<LimitsFound>;
}

/** The ledger and the reports read from it. */
export interface UsageStore extends OpenCallStore, UsageCounts {
  /**
   * Records all in one synced commit, each with the delivery that covers it; one result an entry, in order. A value where
   * nobody had to be waited for, so that a call that is alone is answered the sooner; it rejects, and never throws.
   */
  recordUsage(entries: readonly NewUsage[], nowMs: number): RecordedUsage[] | Promise<RecordedUsage[]>;
  findUsage(id: number): Promise<LedgerRow | undefined>;
  /** The row that the customer's usage was recorded as under this key. */
  findUsageUnder(customerNo: number, idempotencyKey: string): Promise<number | undefined>;
  /**
   * Takes back one row of above zero units, by another row that the roll-ups follow. Units that Stripe surely does not have
   * leave their delivery; others are taken back by a delivery that waits until theirs has arrived: as a cancellation when
   * they are all that was delivered, and lately. `unbillable` when that would need an event of a period whose invoice is
   * final; nothing is written then.
   */
  voidUsage(order: UsageVoid, act: Act): Promise<VoidedUsage | 'unbillable'>;
  /** Sums by group, in ascending order of the group. */
  listUsage(filter: UsageFilter, by: UsageGrouping): Promise<UsageSum[]>;
  sumUsage(filter: UsageFilter): Promise<UsageTotals>;
}

/** The outbox. */
export interface DeliveryStore {
  /**
   * Freezes the open deliveries whose window has ended at `nowMs`, and with `early` also those whose window still runs, of
   * one customer or of all. One without units is delivered by that. Returns how many. A customer who is named is in a hurry:
   * until all that is pending of it has been sent, it is leased ahead of everybody else's.
   */
  freezeDeliveries(nowMs: number, early?: { customerId?: string | undefined }): Promise<number>;
  /**
   * Leases due deliveries, first of customers in a hurry, then the oldest, at most one for each customer and meter at a time across all processes. A lease
   * that has run out counts as a send of unknown outcome and is leased again. The attempt is durable before this returns.
   */
  claimDeliveries(claim: { nowMs: number; leaseMs: number; limit: number }): Promise<ClaimedDelivery[]>;
  /**
   * Writes outcomes. `delivered` always counts, unless Stripe has rejected that identifier since; any other outcome only
   * under a lease that is still the present one.
   */
  settleDeliveries(settlements: readonly Settlement[], nowMs: number): Promise<void>;
  /**
   * Refuses what Stripe rejected after accepting it; what takes units of it back is refused with it, unless it is an event that
   * Stripe has counted: that stays, so that the refused units are just what Stripe lacks, to be retried or billed by hand.
   */
  rejectDeliveries(rejections: readonly Rejection[]): Promise<RejectionResult[]>;
  /** Makes these refused or pending ones due now; one result an id, in order. */
  retryDeliveries(ids: readonly string[], nowMs: number): Promise<RetryResult[]>;
  /**
   * Takes the operator's word for what became of uncertain ones; one result an id, in order. A `refused` one is sent again only
   * when it is retried.
   */
  settleByHand(ids: readonly string[], as: 'delivered' | 'refused', act: Act): Promise<HandSettlement[]>;
  /** Makes everything pending due now. Returns how many had been waiting. */
  hastenDeliveries(nowMs: number): Promise<number>;
  countDeliveries(nowMs: number): Promise<OutboxStatus>;
  /** Whether usage is not sent that could have been at that time: it was recorded, and its window was over. */
  hasWaitedSince(atMs: number): Promise<boolean>;
  findDelivery(id: string): Promise<Delivery | undefined>;
  /** Newest first. */
  listDeliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>;
  /** The customer's units that are not delivered, in windows of the period. */
  sumUndelivered(customerId: string, fromMs: number, toMs: number): Promise<number>;
  /** How many of the customer's, in windows from then on, are neither delivered nor refused: their units may cancel out. */
  countUnsettled(customerId: string, fromMs: number): Promise<number>;
}

/** Which deliveries are listed. */
export interface DeliveryFilter {
  customerId?: string | undefined;
  state?: DeliveryState | undefined;
}

/** What the comparison with Stripe's counts reads and writes. */
export interface ReconciliationStore {
  /** The ids of customers whom Stripe may bill for the range: who used something in it, or has ever subscribed. */
  listReconciledCustomers(range: Period, page: PageRequest): Promise<Page<string>>;
  countReconciledCustomers(range: Period): Promise<number>;
  /**
   * Sums by step, oldest first, without the steps in which nothing is stamped; the first and the last are cut at the
   * range's edges. What was delivered at `settledBeforeMs` or later counts as unsettled.
   */
  sumStamped(range: StampedRange, by: { stepMs: number; settledBeforeMs: number }): Promise<SpanSums[]>;
  listStamped(range: StampedRange): Promise<StampedDelivery[]>;
  /** Carries verdicts out, each unless something has happened to its delivery since. Returns how many. */
  settleCompared(verdicts: readonly Verdict[], nowMs: number): Promise<number>;
}

/** Checkout sessions started here. */
export interface CheckoutStore {
  recordCheckout(sessionId: string, nowMs: number): Promise<void>;
  findCheckout(sessionId: string): Promise<Checkout | undefined>;
  /** Notes that customer and subscription of the session are stored; remembers the session if it was not known. */
  recordProvisioned(sessionId: string, customerId: string, nowMs: number): Promise<void>;
  /** Adds the key and marks the session in one step; `taken` when its key was made before. */
  claimCheckout(sessionId: string, key: NewApiKey): Promise<'claimed' | 'taken'>;
  /** Forgets sessions that were remembered before this time and are not provisioned. Returns how many. */
  removeCheckouts(beforeMs: number): Promise<number>;
}

/** The inbox of Stripe's messages. */
export interface WebhookStore {
  /** Stores a verified message; `seen` when its event is there already. */
  recordWebhook(webhook: NewWebhook, nowMs: number): Promise<'first' | 'seen'>;
  /**
   * Leases messages that are due, the longest due first. Each counts as an attempt; one whose lease has run out is due
   * again.
   */
  claimWebhooks(claim: { nowMs: number; leaseMs: number; limit: number }): Promise<Webhook[]>;
  settleWebhook(id: string, outcome: WebhookOutcome): Promise<void>;
  /** Forgets applied messages whose event happened, and which arrived, before this time. Returns how many. */
  removeWebhooks(beforeMs: number): Promise<number>;
  findWebhook(id: string): Promise<Webhook | undefined>;
  /** Newest first. */
  listWebhooks(filter: { state?: WebhookState | undefined }, page: PageRequest): Promise<Page<Webhook>>;
}

/** What came of applying a message. */
export type WebhookOutcome =
  | { kind: 'applied'; atMs: number }
  | { kind: 'retry'; atMs: number; reason: string }
  | { kind: 'failed'; reason: string };

/** A storage engine. */
export interface Store
  extends IdentityStore,
    CustomerStore,
    KeyStore,
    KeyTransferStore,
    AuditStore,
    UsageStore,
    DeliveryStore,
    ReconciliationStore,
    CheckoutStore,
    WebhookStore,
    AnswerStore,
    AlertStore,
    LimitStore {
  /** Throws `unavailable` when the database cannot be written. */
  check(): Promise<void>;
  close(): Promise<void>;
}
