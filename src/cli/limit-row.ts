/** Limits as the command line shows them: what holds, who said so, and how much of it is used. */

import { spanAt } from '../access/spans.js';
import { costOf } from '../access/spend.js';
import { billingPeriodOf, type Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import {
  formatQuota,
  formatRate,
  type HeldLimits,
  heldLimits,
  type LimitSubject,
  type Limits,
} from '../domain/limit.js';
import { majorFromMinor } from '../domain/money.js';
import { currentSubscription } from '../domain/subscription.js';
import type { UsageFilter } from '../domain/usage.js';
import { countText, moneyText } from '../terminal/money.js';
import { pairsText } from '../terminal/table.js';
import type { Context } from './context.js';
import { findCustomer } from './customer-row.js';
import { findKey, keyLimitsJson } from './key-row.js';
import { findTerms } from './price-terms.js';

/** Where limits are said, the one that counts most first. */
type Place = 'key' | 'customer' | 'plan' | 'config';

interface Said {
  place: Place;
  limits: Limits;
}

/** What is used of limits, in units and in minor units of money; `null` where nothing is limited. */
interface Used {
  quota: number | null;
  spendMinor: number | null;
  prepaid: number | null;
}

const nothingUsed: Used = { quota: null, spendMinor: null, prepaid: null };

/** Shows the limits of a key, a customer or a plan. Throws `not_found`. */
export async function showLimits(context: Context, subject: LimitSubject): Promise<void> {
  const said = await limitsSaid(context, subject);
  const held = heldLimits(said.map(({ limits }) => limits).reverse());
  const used = await usedBy(context, subject, held);
  const { currency } = context.readySettings().catalog;
  const row = limitsJson(held, used, currency);
  const from = Object.fromEntries(
    jsonNames.map(([json, name]) => [json, held[name] === null ? null : placeOf(said, name)]),
  );
  context.show({
    json: () => ({ ...subjectJson(subject), ...row, from }),
    text: () => limitsText(context, said, held, used),
  });
}

const jsonNames = [
  ['rate', 'rate'],
  ['quota', 'quota'],
  ['max_in_flight', 'maxInFlight'],
  ['spend_cap', 'spendCapMinor'],
  ['prepaid_units', 'prepaid'],
] as const satisfies [string, keyof Limits][];

function placeOf(said: readonly Said[], name: keyof Limits): Place | null {
  return said.find(({ limits }) => limits[name] !== undefined)?.place ?? null;
}

function subjectJson(subject: LimitSubject): Record<string, string> {
  if (subject.kind === 'key') return { key: subject.keyId };
  return subject.kind === 'customer' ? { customer: subject.customerId } : { plan: subject.priceId };
}

function limitsJson(held: HeldLimits, used: Used, currency: string) {
  const { spendCapMinor, prepaid } = held;
  return {
    ...keyLimitsJson(held),
    spend_cap: spendCapMinor === null ? null : majorFromMinor(spendCapMinor, currency),
    prepaid_units: prepaid?.units ?? null,
    currency,
    used: {
      quota: used.quota,
      spend: used.spendMinor === null ? null : majorFromMinor(used.spendMinor, currency),
      prepaid_units: used.prepaid,
    },
  };
}

/** What is said at each place that counts for the subject. */
async function limitsSaid(context: Context, subject: LimitSubject): Promise<Said[]> {
  const store = await context.store();
  const config = { place: 'config', limits: context.readySettings().limits } as const;
  if (subject.kind === 'key') {
    await findKey(context, subject.keyId);
    const { key } = await store.findLimits({ keyId: subject.keyId });
    return [{ place: 'key', limits: key ?? {} }];
  }
  if (subject.kind === 'plan') {
    const { plan } = await store.findLimits({ priceId: subject.priceId });
    return [{ place: 'plan', limits: plan ?? {} }, config];
  }
  const customer = await findCustomer(context, subject.customerId);
  const priceId = currentSubscription(customer.subscriptions)?.priceId;
  const { customer: own, plan } = await store.findLimits({ customerId: customer.id, priceId });
  return [{ place: 'customer', limits: own ?? {} }, { place: 'plan', limits: plan ?? {} }, config];
}

async function usedBy(context: Context, subject: LimitSubject, held: HeldLimits): Promise<Used> {
  if (subject.kind === 'plan') return nothingUsed;
  const customer = await customerOf(context, subject);
  const { nowMs } = (await context.host()).clock;
  const atMs = nowMs();
  const period = billingPeriodOf(customer, atMs);
  const store = await context.store();
  const whose: Partial<UsageFilter> =
    subject.kind === 'key' ? { keyId: subject.keyId } : { customerId: customer.id };
  const unitsIn = async ({ startMs, endMs }: { startMs: number; endMs: number }): Promise<number> =>
    (await store.sumUsage({ fromMs: startMs, toMs: endMs, ...whose })).units;
  const { quota, spendCapMinor, prepaid } = held;
  const { catalog } = context.readySettings();
  return {
    quota: quota && (await unitsIn(spanAt(quota.per, atMs, period))),
    spendMinor:
      spendCapMinor === null
        ? null
        : costOf(
            await findTerms(context, customer),
            await store.findPeriodUnits(customer.no, catalog.eventName, period?.startMs ?? 0),
          ),
    prepaid: prepaid && (await unitsIn({ startMs: prepaid.sinceMs, endMs: atMs + 1 })),
  };
}

async function customerOf(
  context: Context,
  subject: Exclude<LimitSubject, { kind: 'plan' }>,
): Promise<Customer> {
  if (subject.kind === 'customer') return findCustomer(context, subject.customerId);
  return findCustomer(context, (await findKey(context, subject.keyId)).customerId);
}

function limitsText(context: Context, said: readonly Said[], held: HeldLimits, used: Used): string {
  const { currency } = context.readySettings().catalog;
  const { rate, quota, maxInFlight, spendCapMinor, prepaid } = held;
  function line(name: keyof Limits, limit: string | null, usedText: string | null): string {
    if (limit === null) return 'none';
    const place = placeOf(said, name);
    const where =
      place === 'key' || place === 'customer' ? '' : `, from the ${placeWords[place ?? 'config']}`;
    return `${limit}${usedText === null ? '' : `, ${usedText} used`}${where}`;
  }
  const units = (count: number | null): string | null => (count === null ? null : countText(count));
  const money = (minor: number | null): string | null => (minor === null ? null : moneyText(minor, currency));
  return pairsText(context.terminal.stdout, [
    ['rate', line('rate', rate && formatRate(rate), null)],
    ['quota', line('quota', quota && formatQuota(quota), units(used.quota))],
    ['in flight', line('maxInFlight', units(maxInFlight), null)],
    ['spend cap', line('spendCapMinor', money(spendCapMinor), money(used.spendMinor))],
    ['prepaid units', line('prepaid', units(prepaid?.units ?? null), units(used.prepaid))],
  ]);
}

const placeWords: Record<Place, string> = {
  key: 'key',
  customer: 'customer',
  plan: 'plan',
  config: 'configuration',
};

/** Which one the arguments name. Throws `invalid` unless it is exactly one. */
export function subjectOf(
  customerId: string | undefined,
  options: { key?: string; plan?: string },
): LimitSubject {
  const subjects: LimitSubject[] = [];
  if (customerId !== undefined) subjects.push({ kind: 'customer', customerId });
  if (options.key !== undefined) subjects.push({ kind: 'key', keyId: options.key });
  if (options.plan !== undefined) subjects.push({ kind: 'plan', priceId: options.plan });
  const [subject] = subjects;
  if (subject && subjects.length === 1) return subject;
  throw new MeterctlError('invalid', 'Name one customer, or one key with --key, or one plan with --plan.', {
    hint: 'meterctl limits show cus_…',
  });
}
