/** What meterctl.json may hold, and the rules for single values wherever they come from. */

import { z } from 'zod';
import { minorFromMajor } from '../domain/money.js';
import { parseAddressRange } from '../lib/address-ranges.js';
import { durationMs, parseDuration } from '../lib/duration.js';

const hourMs = 3_600_000;

const trustProxyError =
  'must be a number of proxies from 0 to 10, or a list of their addresses, ranges, loopback, linklocal and uniquelocal';

/** The rules for single values. Each message continues a sentence that begins with the value's name. */
export const rules = {
  mode: z.enum(['emulator', 'test', 'live'], { error: 'must be emulator, test or live' }),
  productName: text(250),
  unit: text(50),
  amount: matching(
    /^\d{1,12}(\.\d+)?$/,
    'must be a plain decimal in major units and in quotes, such as "0.05"',
  ),
  currency: matching(/^[A-Za-z]{3}$/, 'must be a currency of three letters, such as usd').toLowerCase(),
  interval: z.enum(['day', 'week', 'month', 'year'], { error: 'must be day, week, month or year' }),
  /** At most 100 characters (stripe-facts 2). */
  eventName: matching(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores'),
  host: matching(/^[\w.:-]+$/, 'must be a host name or an IP address'),
  port: wholeNumber(0, 65_535, 'must be a whole number from 0 to 65535, where 0 takes any free port'),
  url: url(),
  flag: z.boolean({ error: 'must be true or false' }),
  duration: duration(Number.POSITIVE_INFINITY, 'must be a duration such as 30m, 24h or 14d'),
  window: duration(hourMs, 'must be a duration from 1s to 1h, such as 2s'),
  poll: duration(30 * 24 * hourMs, 'must be a duration from 1s to 30d, such as 1m'),
  webhookSecrets: z.array(matching(/^whsec_\S+$/, 'must hold signing secrets, which start with whsec_')),
  /** Letters and digits, so that a double click selects a whole key and a scanner's pattern stays simple. */
  keyPrefix: matching(/^[a-z][a-z0-9]{1,11}$/, 'must be 2 to 12 small letters and digits, a letter first'),
  /** How many proxies stand before the server, or their addresses. */
  trustProxy: z.union([z.int().min(0).max(10), z.array(z.string().refine(isProxy))], {
    error: trustProxyError,
  }),
  token: matching(/^\S+$/, 'must not contain blanks'),
  path: text(4096),
} as const;

const price = z
  .strictObject({ amount: rules.amount, currency: rules.currency, interval: rules.interval })
  .superRefine(({ amount, currency }, context) => {
    try {
      minorFromMajor(amount, currency);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      context.addIssue({ code: 'custom', path: ['amount'], message: `cannot be charged: ${error.message}` });
    }
  });

/** The sections of meterctl.json, in the order in which they are written. */
export const sections = {
  product: z.strictObject({ name: rules.productName, unit: rules.unit }),
  price,
  meter: z.strictObject({ eventName: rules.eventName }),
  /** Stripe's ids, as `init` found or created them. */
  stripe: z.strictObject({
    meter: matching(/^mtr_\w+$/, 'must be the id of a meter, which starts with mtr_'),
    product: text(255),
    price: matching(/^price_\w+$/, 'must be the id of a price, which starts with price_'),
    webhooks: z.array(text(255), { error: 'must be a list of ids' }),
  }),
  server: z
    .strictObject({
      host: rules.host,
      port: rules.port,
      publicUrl: rules.url,
      upstream: rules.url,
      trustProxy: rules.trustProxy,
    })
    .partial(),
  auth: z.strictObject({ queryParameter: rules.flag, keyPrefix: rules.keyPrefix }).partial(),
  access: z.strictObject({ pastDueGrace: rules.duration }).partial(),
  delivery: z.strictObject({ window: rules.window }).partial(),
  webhooks: z.strictObject({ poll: rules.poll }).partial(),
};

/** The shape of meterctl.json. */
export const fileSchema = z.strictObject({ mode: rules.mode, ...sections }).partial();

/** What meterctl.json holds. */
export type ConfigFile = z.infer<typeof fileSchema>;

/** What Express's `trust proxy` takes: an address, a range, or one of its names. */
function isProxy(text: string): boolean {
  return ['loopback', 'linklocal', 'uniquelocal'].includes(text) || parseAddressRange(text) !== undefined;
}

function matching(pattern: RegExp, error: string, typeError = error) {
  return z.string({ error: typeError }).regex(pattern, { error });
}

function text(length: number) {
  return matching(new RegExp(`^\\P{Cc}{1,${length}}$`, 'u'), `must be a text of 1 to ${length} characters`);
}

function wholeNumber(min: number, max: number, error: string) {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function duration(maxMs: number, error: string) {
  return z.string({ error }).refine((value) => {
    const parsed = parseDuration(value);
    const ms = parsed && durationMs(parsed);
    return ms !== undefined && ms <= maxMs;
  }, error);
}

/** A base URL, kept without a trailing slash. User names and passwords do not belong into a file under version control. */
function url() {
  const error = 'must be an http:// or https:// URL without user, query and fragment';
  return z
    .url({ protocol: /^https?$/, error })
    .refine((value) => !/[?#@]/.test(value), { error })
    .transform((value) => value.replace(/\/+$/, ''));
}
