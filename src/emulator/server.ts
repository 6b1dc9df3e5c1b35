/** The embedded Stripe as a server: what `openEmulator` puts together and takes apart again. */

import { createClosers } from '../lib/closers.js';
import type { Host } from '../lib/host.js';
import type { Account } from './account.js';
import { createBackground } from './background.js';
import { advanceTo } from './billing/advance.js';
import { createAccount } from './create-account.js';
import { openDatabase } from './database.js';
import type { ForwardTo } from './events/webhook-sender.js';
import { createApp } from './http-app.js';
import { createIdempotencyKeys } from './idempotency.js';
import { reportMeterErrors } from './meters/meter-error-reports.js';
import { pageRoutes } from './pages/routes.js';
import { apiExpansions, apiRoutes } from './routes.js';

/** How to open an emulator. */
export interface EmulatorOptions {
  /** The account's file; made when it is missing. Several processes may have it open. */
  databasePath: string;
  /** 0 for any free port. */
  port: number;
  host: Host;
}

/** A running emulator. Must be closed. */
export interface Emulator {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  account: Account;
  /** The account's time. */
  nowMs(): number;
  /** Moves time on, through everything that falls due on the way. Returns how many things were done. */
  advanceTo(toMs: number): number;
  /**
   * From now on delivers all events to one URL, signed with this secret, as `stripe listen --forward-to` does: snapshots,
   * and the thin events that repeat none. What was emitted while no process forwarded is delivered too, unless no
   * process ever had when it was emitted.
   */
  forwardTo(target: ForwardTo): void;
  /** One round of the background work now: billing that is due, error reports, then every webhook that is due. */
  tick(): Promise<void>;
  /** Stops accepting, finishes what is in flight, closes the file. */
  close(): Promise<void>;
}

/** Opens the account's file and listens on 127.0.0.1. Throws when the port is taken or the file cannot be opened. */
export async function openEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { databasePath, host } = options;
  const closers = createClosers();
  try {
    const database = closers.add(openDatabase(databasePath));
    let url = '';
    let forwarding: ForwardTo | undefined;
    const { account, queue } = createAccount({
      database,
      host,
      expansions: apiExpansions,
      baseUrl: () => url,
      onWebhook: () => background.wake(),
    });
    const background = closers.add(createBackground({ account, queue, host, forwardTo: () => forwarding }));
    const app = closers.add(
      createApp({
        account,
        host,
        keys: createIdempotencyKeys(database),
        expansions: apiExpansions,
        routes: apiRoutes,
        pages: pageRoutes,
      }),
    );
    const port = await app.listen(options.port);
    url = `http://127.0.0.1:${port}`;
    background.start();
    return {
      url,
      port,
      account,
      nowMs: account.clock.nowMs,
      advanceTo(toMs) {
        const done = advanceTo(account, Math.ceil(toMs / 1000));
        reportMeterErrors(account);
        return done;
      },
      forwardTo(target) {
        forwarding = target;
        queue.startForwarding();
        background.wake();
      },
      tick: background.tick,
      close: () => closers.close(),
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}
