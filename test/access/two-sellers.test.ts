/** Random histories of two processes that sell to one customer: together they stay within its limits. */

import { copyFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { costOf } from '../../src/access/spend.js';
import type { ApiKey } from '../../src/domain/key.js';
import type { Limits } from '../../src/domain/limit.js';
import { issueKey } from '../../src/keys/issue.js';
import type { PriceTerms } from '../../src/lib/pricing.js';
import { openStore } from '../../src/sqlite/store.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { listOthersCalls } from '../support/left-calls.js';
import { createProcesses } from '../support/processes.js';
import { addSubscriber, newStorePath } from '../support/store.js';
import { openSeller, type Seller } from './open-sellers.js';

const HOUR_MS = 3_600_000;

/** Of the customer, an hour. */
const quota = 10;
/** Of one of its two keys, an hour. */
const keyQuota = 6;
const prepaid = 12;
const capMinor = 120;

/** More units than the cap leaves cost less again, from the 15th on. */
const terms: PriceTerms = {
  billing_scheme: 'tiered',
  tiers_mode: 'volume',
  tiers: [
    { up_to: 14, unit_amount_decimal: '10', flat_amount_decimal: null },
    { up_to: null, unit_amount_decimal: '5', flat_amount_decimal: null },
  ],
  transform_quantity: null,
  unit_amount_decimal: null,
};

/** What the customer has beside its quota. */
const besides: Limits[] = [{}, { prepaid: { units: prepaid, sinceMs: 0 } }, { spendCapMinor: capMinor }];

/** What happens next, at one of the two. */
interface Step {
  seller: 0 | 1;
  what:
    | 'call'
    | 'stream'
    | 'answer'
    | 'grow'
    | 'say'
    | 'save'
    | 'complete'
    | 'client-gone'
    | 'look'
    | 'tend'
    | 'wait'
    | 'crash';
  key: 0 | 1;
  which: number;
  units: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  seller: fc.constantFrom(0, 1),
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('call', 'stream', 'answer', 'say', 'save') },
    { weight: 6, arbitrary: fc.constantFrom('grow', 'complete', 'look', 'wait') },
    { weight: 2, arbitrary: fc.constantFrom('client-gone', 'tend', 'crash') },
  ),
  key: fc.constantFrom(0, 1),
  which: fc.nat(),
  units: fc.integer({ min: 0, max: 6 }),
});

/** Units that are used up, those that calls owe by their rows among them. */
interface Used {
  ofHour: number;
  ofKey: number;
  inAll: number;
}

/** A closed database with a customer, its limits, and two keys: each history has a copy, which is made faster. */
async function prepareShop(beside: Limits) {
  const host = createFakeHost();
  const path = newStorePath();
  const store = await openStore({ path, host });
  const { customer, key: first } = await addSubscriber(store, host);
  const deps = { store, host, secretPrefix: 'mk_test_' };
  const { key: second } = await issueKey(deps, { customerId: customer.id }, 'system');
  const act = { actor: 'system', atMs: 0 } as const;
  const limits: Limits = { quota: { units: quota, per: 'hour' }, ...beside };
  await store.recordLimits({ kind: 'customer', customerId: customer.id }, limits, act);
  const keyLimits: Limits = { quota: { units: keyQuota, per: 'hour' } };
  await store.recordLimits({ kind: 'key', keyId: second.id }, keyLimits, act);
  await store.close();
  return { path, customer, keys: [first, second] as const, beside };
}

async function openHistory({ path: prepared, customer, keys }: Awaited<ReturnType<typeof prepareShop>>) {
  const host = createFakeHost();
  const path = newStorePath();
  copyFileSync(prepared, path);
  const startProcess = createProcesses(host);
  const start = () => openSeller({ path, process: startProcess(), customer, terms });
  const sellers: [Seller, Seller] = [await start(), await start()];

  async function run({ seller: index, what, key: keyIndex, which, units }: Step): Promise<void> {
    const seller = sellers[index];
    if (what === 'call' || what === 'stream') await seller.begin(what, keys[keyIndex], units);
    if (what === 'answer') await seller.answer(which);
    if (what === 'grow') seller.grow(which, units);
    if (what === 'say') seller.say(which, units);
    if (what === 'save') await seller.save(which);
    if (what === 'complete' || what === 'client-gone') await seller.end(which, what);
    if (what === 'look') await seller.look();
    if (what === 'tend') await seller.tend();
    if (what === 'wait') await host.advance(HOUR_MS / 2);
    if (what !== 'crash') return;
    await seller.crash();
    sellers[index] = await start();
  }

  /** All that is used in the end, when both are gone: the most of any hour, and the sum. */
  async function finish(): Promise<Used> {
    for (const seller of sellers) await seller.crash();
    const store = await openStore({ path, host });
    const owed = await listOthersCalls(store);
    const unitsOf = async (fromMs: number, toMs: number, key?: ApiKey) => {
      const { units } = await store.sumUsage({ fromMs, toMs, keyId: key?.id });
      return owed
        .filter(({ atMs, keyNo }) => atMs >= fromMs && atMs < toMs && (!key || keyNo === key.no))
        .reduce((sum, call) => sum + call.units, units);
    };
    const used: Used = { ofHour: 0, ofKey: 0, inAll: await unitsOf(0, host.clock.nowMs() + 1) };
    for (let fromMs = testStartMs; fromMs <= host.clock.nowMs(); fromMs += HOUR_MS) {
      const toMs = fromMs + HOUR_MS;
      used.ofHour = Math.max(used.ofHour, await unitsOf(fromMs, toMs));
      used.ofKey = Math.max(used.ofKey, await unitsOf(fromMs, toMs, keys[1]));
    }
    await store.close();
    return used;
  }

  return { run, finish };
}

it('two processes stay within all limits, whatever their calls do and whenever they look at each other', async () => {
  const shops = await Promise.all(besides.map(prepareShop));
  const reached = new Set<string>();
  const history = fc.array(step, { minLength: 50, maxLength: 100, size: 'max' });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...shops), history, async (shop, steps) => {
      const { beside } = shop;
      const { run, finish } = await openHistory(shop);
      for (const next of steps) await run(next);
      const { ofHour, ofKey, inAll } = await finish();
      expect(ofHour).toBeLessThanOrEqual(quota);
      expect(ofKey).toBeLessThanOrEqual(keyQuota);
      if (beside.prepaid) expect(inAll).toBeLessThanOrEqual(prepaid);
      if (beside.spendCapMinor) expect(costOf(terms, inAll)).toBeLessThanOrEqual(capMinor);
      if (ofHour === quota) reached.add('quota');
      if (ofKey === keyQuota) reached.add('key quota');
      if (beside.prepaid && inAll === prepaid) reached.add('prepaid');
      if (beside.spendCapMinor && costOf(terms, inAll) === capMinor) reached.add('cap');
    }),
    { numRuns: 200, endOnFailure: true },
  );
  // The histories reach what they are about.
  expect([...reached].sort()).toEqual(['cap', 'key quota', 'prepaid', 'quota']);
});
