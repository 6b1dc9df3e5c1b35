/** Limits: how fast and how much a key, a customer, or everybody on a price may use the API. */

/** So many calls in a time. All of them may come at once; then they come back evenly. */
export interface Rate {
  count: number;
  perMs: number;
}

/** What units are counted over: the hour, day or month of the calendar in UTC, or the customer's billing period. */
export type QuotaSpan = 'hour' | 'day' | 'month' | 'period';

/** So many units in a span. */
export interface Quota {
  units: number;
  per: QuotaSpan;
}

/** Units that may be used once, counted from a time on. */
export interface Prepaid {
  units: number;
  sinceMs: number;
}

/**
 * Limits as somebody set them at one place. What is absent is left to the place above: the customer's price, then the
 * configuration. `null` lifts what is said there.
 */
export interface Limits {
  rate?: Rate | null | undefined;
  quota?: Quota | null | undefined;
  maxInFlight?: number | null | undefined;
  /** For a billing period, in minor units of the price's currency. */
  spendCapMinor?: number | null | undefined;
  prepaid?: Prepaid | null | undefined;
}

/** Limits as they hold. */
export type HeldLimits = { [Name in keyof Limits]-?: NonNullable<Limits[Name]> | null };

/** Whose limits they are. A plan is everybody whose subscription has this price. */
export type LimitSubject =
  | { kind: 'key'; keyId: string }
  | { kind: 'customer'; customerId: string }
  | { kind: 'plan'; priceId: string };

/** What is set for a caller at each place. */
export interface LimitsFound {
  key: Limits | undefined;
  customer: Limits | undefined;
  plan: Limits | undefined;
}

const rateUnits: Readonly<Record<string, number>> = {
  s: 1000,
  sec: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Units that a limit may allow at most. */
export const limitedUnitsMax = 999_999_999_999;

/** More calls in a time cannot be told apart: each has its share of the milliseconds. */
const rateCountMax = 999_999_999;

/** How rates are written, for messages. */
export const rateExamples = '10/s, 600/min, 1000/hour or 20000/day';

/** How quotas are written, for messages. */
export const quotaExamples = '100/hour, 1000/day, 20000/month or 50000/period (the billing period)';

/** Reads `10/s`; `undefined` for anything else. */
export function parseRate(text: string): Rate | undefined {
  const { count, word } = splitRatio(text, rateCountMax) ?? {};
  const perMs = word === undefined ? undefined : rateUnits[word];
  return count === undefined || perMs === undefined ? undefined : { count, perMs };
}

/** Writes a rate as it is read: `600/min`. */
export function formatRate({ count, perMs }: Rate): string {
  const word = ['s', 'min', 'hour', 'day'].find((name) => rateUnits[name] === perMs);
  return `${count}/${word ?? `${perMs / 1000}s`}`;
}

/** Reads `1000/month`; `undefined` for anything else. */
export function parseQuota(text: string): Quota | undefined {
  const { count, word } = splitRatio(text, limitedUnitsMax) ?? {};
  const per = (['hour', 'day', 'month', 'period'] as const).find((span) => span === word);
  return count === undefined || per === undefined ? undefined : { units: count, per };
}

/** Writes a quota as it is read. */
export function formatQuota({ units, per }: Quota): string {
  return `${units}/${per}`;
}

/** Puts the places together, the one that counts least first. */
export function heldLimits(places: readonly (Limits | undefined)[]): HeldLimits {
  const pick = <Name extends keyof Limits>(name: Name): Limits[Name] =>
    places.findLast((place) => place?.[name] !== undefined)?.[name];
  return {
    rate: pick('rate') ?? null,
    quota: pick('quota') ?? null,
    maxInFlight: pick('maxInFlight') ?? null,
    spendCapMinor: pick('spendCapMinor') ?? null,
    prepaid: pick('prepaid') ?? null,
  };
}

function splitRatio(text: string, countMax: number): { count: number; word: string } | undefined {
  const [, count, word] = /^([1-9]\d{0,14})\/([a-z]+)$/.exec(text) ?? [];
  if (count === undefined || word === undefined || Number(count) > countMax) return undefined;
  return { count: Number(count), word };
}
