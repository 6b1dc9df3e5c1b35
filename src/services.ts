/** What the daemon does in the background, and what the server calls: the services with their adapters in their hands. */

import type { AdmissionControl } from './access/admission.js';
import type { TimedHost } from './app.js';
import { createEventApplier } from './apply-event.js';
import { verifyAccount } from './bootstrap/verify-account.js';
import type { CatalogIds, CatalogSettings, Settings } from './config/settings.js';
import { syncAllCustomers } from './customers/sync.js';
import { type Courier, createCourier } from './delivery/courier.js';
import { createDailyReconcile } from './delivery/daily-reconcile.js';
import { createPeriodCheck } from './delivery/period-check.js';
import { reconcilePaces } from './delivery/reconcile.js';
import type { Billing } from './domain/billing.js';
import type { Store } from './domain/store.js';
import type { Emulator } from './emulator/server.js';
import { createKeyLookup, type KeyLookup } from './keys/key-lookup.js';
import { createKeyUses, type KeyUses } from './keys/key-uses.js';
import type { Closers } from './lib/closers.js';
import type { Host } from './lib/host.js';
import { createLoop, type Loop } from './lib/loop.js';
import { createLimiting } from './limiting.js';
import { createAnswerClaims } from './metering/answer-claims.js';
import { createLedgerWriter, type LedgerWriter } from './metering/ledger-writer.js';
import { createOpenCalls, type OpenCalls } from './metering/open-calls.js';
import { createRepeatGuard, type RepeatGuard } from './metering/repeat-guard.js';
import { catchUp, createThinNotice } from './webhooks/catch-up.js';
import { createInbox, type Inbox } from './webhooks/inbox.js';

/** Time that the last deliveries get at the end. */
const flushGraceMs = 10_000;

/** How soon the daemon follows when another process advances the embedded Stripe's time. */
const timeIntervalMs = 200;

/** How soon it is tried again when Stripe could not be asked. */
const catchUpRetryMs = 60_000;

/** What the daemon has opened, and its settings. */
export interface Parts {
  settings: Settings;
  catalog: CatalogSettings;
  catalogIds: CatalogIds;
  /** With Stripe's time. */
  host: TimedHost;
  /** With the machine's own time. */
  machine: Host;
  store: Store;
  billing: Billing;
  emulator: Emulator | undefined;
}

/** The services of a running daemon. Closing them is the closers' business. */
export interface Services {
  keys: KeyLookup;
  uses: KeyUses;
  ledger: LedgerWriter;
  openCalls: OpenCalls;
  admission: AdmissionControl;
  repeats: RepeatGuard;
  inbox: Inbox;
  courier: Courier;
  /** Starts every background loop. */
  start(): void;
}

/** Puts the services together. Closing runs in reverse: ledger, events, courier, inbox, keys, time. */
export async function createServices(
  parts: Parts,
  forwardSecret: string,
  closers: Closers,
): Promise<Services> {
  const { settings, host, machine, store, emulator } = parts;
  const { createWebhookReader } = await import('./stripe/webhook-signature.js');
  const { clock, log } = host;
  const time = closers.add(
    createLoop({ name: 'time', clock, log, intervalMs: timeIntervalMs, tick: async () => host.refresh() }),
  );
  const keys = closers.add(createKeyLookup({ store, clock, log, ...settings.auth }));
  const uses = closers.add(createKeyUses({ store, clock, log }));
  const secrets = emulator
    ? [forwardSecret, ...settings.stripe.webhookSecrets]
    : settings.stripe.webhookSecrets;
  // Signatures are as old as the machine's clock says, also when the embedded Stripe's time is ahead.
  const read = createWebhookReader(secrets, machine.clock);
  const { prices, admission, alerter } = createLimiting(parts, closers);
  const claims = closers.add(createAnswerClaims({ store, host: machine }));
  const repeats = closers.add(createRepeatGuard({ store, claims, clock, log }));
  const apply = createEventApplier({ ...parts, meter: parts.catalog.eventName });
  const inbox = closers.add(createInbox({ store, host, read, apply }));
  const courier = closers.add(createDaemonCourier(parts));
  const events = closers.add(createCatchUpLoop(parts, inbox));
  const reconciliation = closers.add(createReconciliationLoop(parts));
  const ledger = createLedgerWriter({ store, clock, log });
  closers.add({ close: () => ledger.drain() });
  const openCalls = closers.add(
    createOpenCalls({ store, ledger, host: machine, recount: admission.recount }),
  );
  return {
    ...{ keys, uses, ledger, openCalls, inbox, courier, admission, repeats },
    start() {
      const loops = [
        time,
        keys,
        uses,
        openCalls,
        inbox,
        courier,
        events,
        reconciliation,
        prices,
        admission,
        claims,
        repeats,
        alerter,
      ];
      for (const loop of loops) loop.start();
    },
  };
}

/** Reads Stripe's events at start and now and then; what was missed is applied at once. */
function createCatchUpLoop({ settings, host, store, billing }: Parts, inbox: Inbox): Loop {
  const { clock, log } = host;
  const { pollMs } = settings.webhooks;
  let caughtUpAtMs = Number.NEGATIVE_INFINITY;
  const tellThin = createThinNotice(log);
  return createLoop({
    name: 'catch-up with Stripe',
    ...{ clock, log },
    intervalMs: Math.min(pollMs, catchUpRetryMs),
    async tick(signal) {
      if (Math.abs(clock.nowMs() - caughtUpAtMs) < pollMs) return;
      const fillGap = () => syncEverybody({ store, billing, host });
      const { missed, thinRefusal } = await catchUp({ store, billing, host, fillGap }, signal);
      caughtUpAtMs = clock.nowMs();
      tellThin(thinRefusal);
      if (missed > 0) await inbox.tick(signal);
    },
  });
}

/** Asks Stripe about every customer, and names those whom it does not know. */
async function syncEverybody({ store, billing, host }: Pick<Parts, 'store' | 'billing' | 'host'>) {
  const { unknown } = await syncAllCustomers({ store, billing });
  for (const customer of unknown)
    host.log.warn('Stripe does not know this customer, who stays as he was', { customer });
}

/** Compares with what Stripe counts once a day, when it is sure that this is the right account. */
function createReconciliationLoop({ settings, catalog, catalogIds, host, store, billing }: Parts): Loop {
  return createDailyReconcile({
    ...{ store, billing, host },
    meter: catalog.eventName,
    pace: reconcilePaces[settings.mode],
    verify: () => verifyAccount({ store, billing }, catalogIds.meter),
  });
}

/** The courier with the daemon's manners: it never sends to an unverified account, and sends what it can at the end. */
function createDaemonCourier({ settings, catalogIds, host, store, billing }: Parts): Courier {
  const courier = createCourier({
    store,
    billing,
    host,
    periodCheck: createPeriodCheck({ store, billing, clock: host.clock }),
    ratePerSecond: settings.delivery.ratePerSecond,
    verify: () => verifyAccount({ store, billing }, catalogIds.meter),
  });
  return {
    ...courier,
    async close() {
      await courier.close();
      await flushWithin(flushGraceMs, courier, host);
    },
  };
}

async function flushWithin(graceMs: number, courier: Courier, host: Host): Promise<void> {
  const ended = new AbortController();
  const sleeping = new AbortController();
  const grace = host.clock.sleep(graceMs, sleeping.signal).then(() => ended.abort());
  await courier
    .flush(ended.signal)
    .catch((error: unknown) => host.log.warn('the last usage stays here until the next start', { error }));
  sleeping.abort();
  await grace;
}
