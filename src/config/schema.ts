/** What meterctl.json may hold, and the rules for single values wherever they come from. */

import { z } from 'zod';
import { limitedUnitsMax, parseQuota, parseRate, quotaExamples, rateExamples } from '../domain/limit.js';
import { minorFromMajor, wholeMinorFromMajor } from '../domain/money.js';
import { parseAddressRange } from '../lib/address-ranges.js';
import { durationMs, parseDuration } from '../lib/duration.js';
import { gatewaySchema, routesSchema } from './gateway-schema.js';

const hourMs = 3_600_000;

const proxyError = 'must be an address, a range such as 10.0.0.0/8, loopback, linklocal or uniquelocal';
const trustProxyError = 'must be a number of proxies from 0 to 10, or a list of their addresses';

/** The rules for single values. Each message continues a sentence that begins with the value's name. */
export const rules = {
  mode: z.enum(['emulator', 'test', 'live'], { error: 'must be emulator, test or live' }),
  productName: text(250),
  /** Stripe: the `unit_label` of a product has at most 12 characters (stripe/openapi, `POST /v1/products`). */
  unit: text(12),
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
  trustProxy: z.union(
    [z.int().min(0).max(10), z.array(z.string({ error: proxyError }).refine(isProxy, { error: proxyError }))],
    {
      error: trustProxyError,
    },
  ),
  token: matching(/^\S+$/, 'must not contain blanks'),
  path: text(4096),
  rate: spelled(parseRate, `must be a rate such as ${rateExamples}`),
  quota: spelled(parseQuota, `must be a quota such as ${quotaExamples}`),
  count: wholeNumber(1, 999_999_999, 'must be a whole number from 1 to 999999999'),
  units: wholeNumber(1, limitedUnitsMax, `must be a whole number from 1 to ${limitedUnitsMax}`),
  thresholds: z
    .array(wholeNumber(1, 1_000, 'must hold percentages from 1 to 1000'), {
      error: 'must be a list of percentages, such as [50, 80, 100]',
    })
    .max(20, 'must not hold more than 20 percentages'),
  /** Unlike a base URL it may have a query. */
  hookUrl: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
    // Nobody can post to such a one, and this file is for version control.
    .refine((url) => !/^https?:\/\/[^/?#]*@/.test(url), 'must not hold a name or a password'),
  command: z
    .array(text(4096), { error: 'must be a list: the program and its arguments' })
    .min(1, 'must name a program'),
  /** Standard Webhooks: `whsec_` and the key in base64. */
  alertSecret: matching(
    /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/,
    'must be whsec_ followed by at least 24 random bytes in base64',
  ),
} as const;

const price = z
  .strictObject({ amount: rules.amount, currency: rules.currency, interval: rules.interval })
  .superRefine(({ amount, currency }, context) => {
    const problem = problemOf(() => minorFromMajor(amount, currency));
    if (problem === undefined) return;
    context.addIssue({ code: 'custom', path: ['amount'], message: `cannot be charged: ${problem}` });
  });

/** The sections of meterctl.json, in the order in which they are written. */
export const sections = {
  product: z.strictObject({ name: rules.productName, unit: rules.unit }),
  price,
  meter: z.strictObject({ eventName: rules.eventName }),
  /** Stripe's ids, as `init` found or created them. */
  stripe: z.strictObject({
    meter: text(255),
    product: text(255),
    /** Not always `price_…`: a price that was a plan has the id that somebody gave the plan. */
    price: text(255),
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
  gateway: gatewaySchema,
  limits: z
    .strictObject({
      rate: rules.rate,
      quota: rules.quota,
      maxInFlight: rules.count,
      spendCap: rules.amount,
      prepaidUnits: rules.units,
    })
    .partial(),
  alerts: z
    .strictObject({ thresholds: rules.thresholds, url: rules.hookUrl, command: rules.command })
    .partial(),
};

/** The shape of meterctl.json. */
export const fileSchema = z
  .strictObject({ mode: rules.mode, ...sections, routes: routesSchema })
  .partial()
  .superRefine(({ limits, price }, context) => {
    if (limits?.spendCap === undefined || price === undefined) return;
    const problem = problemOf(() => wholeMinorFromMajor(limits.spendCap ?? '', price.currency));
    if (problem === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['limits', 'spendCap'],
      message: `cannot be charged: ${problem}`,
    });
  });

/** What meterctl.json holds. */
export type ConfigFile = z.infer<typeof fileSchema>;

/** What Express's `trust proxy` takes: an address, a range, or one of its names. */
function isProxy(text: string): boolean {
  return ['loopback', 'linklocal', 'uniquelocal'].includes(text) || parseAddressRange(text) !== undefined;
}

/** What `attempt` complains of. */
function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message.replace(/\.$/, '');
  }
}

function matching(pattern: RegExp, error: string, typeError = error) {
  return z.string({ error: typeError }).regex(pattern, { error });
}

function spelled(parse: (text: string) => unknown, error: string) {
  return z.string({ error }).refine((value) => parse(value) !== undefined, error);
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
