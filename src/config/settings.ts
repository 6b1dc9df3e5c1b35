/** The effective settings of one run: every source merged, checked and frozen. */

import type { Limits } from '../domain/limit.js';
import type { Mode } from '../domain/mode.js';
import type { Interval } from '../lib/calendar.js';
import type { GatewaySettings } from './gateway-settings.js';

/** What is sold, as `init` was told. */
export interface CatalogSettings {
  productName: string;
  /** What one unit is called: `call`. */
  unit: string;
  /** Price of one unit, decimal string in major units. */
  price: string;
  currency: string;
  interval: Interval;
  /** The meter's event name. */
  eventName: string;
}

/** Stripe's ids of what is sold, as `init` found or created them. */
export interface CatalogIds {
  meter: string;
  product: string;
  price: string;
}

/** The settings. Paths are absolute, times in milliseconds. */
export interface Settings {
  mode: Mode;
  configPath: string;
  stripe: {
    /** In emulator mode a fixed key that only the embedded Stripe takes. */
    secretKey: string;
    /** Base URL of another Stripe-compatible server; `null` means Stripe itself, or the embedded one in emulator mode. */
    apiBase: string | null;
    webhookSecrets: readonly string[];
  };
  /** `null` before `init` has written `meterctl.json`. */
  catalog: CatalogSettings | null;
  catalogIds: CatalogIds | null;
  databasePath: string;
  /** The embedded Stripe's own file. */
  emulatorDatabasePath: string;
  server: {
    host: string;
    port: number;
    /** How buyers reach this server, without a trailing slash; `null` means the address it listens on. */
    publicUrl: string | null;
    upstream: string | null;
    /** Bearer token of the operator's routes; `null` switches them off. */
    adminToken: string | null;
    /** How far `X-Forwarded-For` is believed: so many proxies, or those at these addresses. */
    trustProxy: number | readonly string[];
  };
  auth: {
    /** Whether `?apiKey=` is accepted. By default everywhere but in live mode. */
    queryParameter: boolean;
    /** What new keys begin with: `mk`. */
    keyPrefix: string;
    /** What imported HMAC-SHA-256 hashes are keyed with. */
    keyPepper: string | null;
  };
  access: {
    /** How long a past-due customer keeps access. */
    pastDueGraceMs: number;
  };
  delivery: {
    /** Usage is aggregated for so long before it is sent: whole seconds. */
    windowMs: number;
    /** Meter events a second at most: below Stripe's limit of the mode (stripe-facts 3a). */
    ratePerSecond: number;
  };
  /** What holds for customers where nothing else is set. */
  limits: Limits;
  alerts: {
    /** Percentages of a limit that are told when usage reaches them, ascending. */
    thresholds: readonly number[];
    /** Where alerts are posted, signed with the secret; `null` posts none. */
    url: string | null;
    secret: string | null;
    /** A program and its arguments, run for each alert; `null` runs none. */
    command: readonly string[] | null;
  };
  gateway: GatewaySettings;
  webhooks: {
    /** How often Stripe's own list of events is read, for what no webhook brought. */
    pollMs: number;
  };
}
