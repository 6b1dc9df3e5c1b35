/** `meterctl limits set`: how fast and how much a customer, a key or everybody on a plan may use the API. */

import type { Command } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import type { Limits, Quota, Rate } from '../../domain/limit.js';
import { limitedUnitsMax, quotaExamples, rateExamples } from '../../domain/limit.js';
import { wholeMinorFromMajor } from '../../domain/money.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { showLimits, subjectOf } from '../limit-row.js';
import * as parse from '../parse.js';

interface Options {
  key?: string;
  plan?: string;
  rate?: Rate | 'none';
  quota?: Quota | 'none';
  maxInFlight?: number | 'none';
  spendCap?: string;
  prepaidUnits?: number | 'none';
  none?: true;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[customer]', "the customer's id", parse.id('cus'))
    .option('--key <id>', 'limit a key, beside what holds for its customer', parse.id('key'))
    .option('--plan <price>', 'limit everybody whose subscription has this price', parse.shortText)
    .option('--rate <rate>', `calls, such as ${rateExamples}`, parse.orNone(parse.rate))
    .option('--quota <quota>', `units, such as ${quotaExamples}`, parse.orNone(parse.quota))
    .option('--max-in-flight <number>', 'calls at the same time', parse.orNone(parse.callsAtOnce))
    .option('--spend-cap <amount>', 'money in a billing period, such as 50.00', parse.orNone(parse.amount))
    .option(
      '--prepaid-units <number>',
      'units that may be used once, counted from now',
      parse.orNone(parse.wholeNumber(0, limitedUnitsMax)),
    )
    .option('--none', 'take away everything that was set here')
    .addHelpText(
      'after',
      '\nWhat is not named stays as it was. "none" lifts a limit, also one of the plan or of meterctl.json.',
    )
    .action(run(set));
  addExamples(command, [
    [
      'meterctl limits set cus_NffrFeUfNV2Hib --rate 10/s --quota 1000/month',
      'ten calls a second, 1,000 units a month',
    ],
    [
      'meterctl limits set cus_NffrFeUfNV2Hib --spend-cap 50.00 --rate none',
      'at most 50.00 a billing period, at any speed',
    ],
    [
      'meterctl limits set --plan price_1Pgc6B2eZvKYlo2C --max-in-flight 20',
      'for everybody who pays this price',
    ],
  ]);
}

async function set(context: Context, customerId: string | undefined, options: Options): Promise<undefined> {
  const subject = subjectOf(customerId, options);
  const { none } = options;
  const nowMs = (await context.host()).clock.nowMs();
  const change = changeOf(options, context.readySettings().catalog.currency, nowMs);
  const named = Object.values(change).some((limit) => limit !== undefined);
  if (named === (none === true)) {
    throw new MeterctlError('invalid', named ? '--none leaves nothing to set.' : 'Nothing is to be set.', {
      hint: 'Name a limit such as --rate 10/s, or --none alone.',
    });
  }
  if (subject.kind === 'key' && (change.spendCapMinor != null || change.prepaid != null)) {
    throw new MeterctlError('invalid', 'Money and prepaid units are counted by customer, not by key.', {
      hint: 'Give the key a quota, or set them for its customer.',
    });
  }
  const store = await context.store();
  const act = { actor: context.actor, atMs: nowMs };
  if ((await store.recordLimits(subject, none ? undefined : change, act)) === 'unknown') {
    throw new MeterctlError('not_found', `There is no ${subject.kind} of this id here.`, {
      hint: subject.kind === 'key' ? 'See meterctl keys list' : 'See meterctl customers list',
    });
  }
  await showLimits(context, subject);
  if (subject.kind === 'plan' && !none) await noteUnsold(context, subject.priceId);
}

/** Anything may be a price of Stripe's, also one that nobody pays yet; but it may be mistyped. */
async function noteUnsold(context: Context, priceId: string): Promise<void> {
  if (priceId === context.readySettings().catalogIds.price) return;
  if (await (await context.store()).isSubscribed(priceId)) return;
  context.note(`No subscription here has the price ${priceId}: these limits hold for the first that will.`);
}

const itself = <T>(limit: T): T => limit;

function changeOf(options: Options, currency: string, nowMs: number): Limits {
  return {
    rate: lifted(options.rate, itself),
    quota: lifted(options.quota, itself),
    maxInFlight: lifted(options.maxInFlight, itself),
    spendCapMinor: lifted(options.spendCap, (amount) => wholeMinorFromMajor(amount, currency)),
    prepaid: lifted(options.prepaidUnits, (units) => ({ units, sinceMs: nowMs })),
  };
}

/** `none` lifts the limit, nothing said leaves it. */
function lifted<T, Limit>(
  said: T | 'none' | undefined,
  limitOf: (value: T) => Limit,
): Limit | null | undefined {
  if (said === undefined) return undefined;
  return said === 'none' ? null : limitOf(said);
}
