/** `meterctl customers cancel`: ends the subscription so that nothing that was used stays unbilled. */

import { type Command, Option } from 'commander';
import { cancelAtPeriodEnd, cancelCustomer } from '../../customers/cancel.js';
import { MeterctlError } from '../../domain/error.js';
import { type Duration, durationMs } from '../../lib/duration.js';
import { countOf } from '../../terminal/money.js';
import { addExamples, type Runner } from '../command.js';
import { type Context, confirmed } from '../context.js';
import { findCustomer, showCustomer, statusRule } from '../customer-row.js';
import { openCourier } from '../open-courier.js';
import * as parse from '../parse.js';

interface Options {
  atPeriodEnd?: true;
  force?: true;
  wait: Duration;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('<customer>', "the customer's id", parse.id('cus'))
    .option('--at-period-end', 'let it run to the end of its period; access stays until then')
    .addOption(
      new Option('--wait <duration>', 'how long Stripe may take to accept all usage')
        .argParser(parse.duration)
        .default({ count: 1, unit: 'm' } satisfies Duration, '1m'),
    )
    .option('--force', 'cancel although Stripe does not have all usage')
    .action(run(cancel));
  command.addHelpText('after', explanation);
  addExamples(command, [
    ['meterctl customers cancel cus_NffrFeUfNV2Hib', 'now, with a final invoice'],
    ['meterctl customers cancel cus_NffrFeUfNV2Hib --at-period-end', 'when the period that is paid for ends'],
  ]);
}

const explanation = `
Access ends first; then all usage is sent; once Stripe has accepted it, the subscription ends with a final invoice. When
usage does not get through in time, nothing is cancelled and the exit code is 7, or 5 where Stripe refuses the key: run it
again later, and it goes on where it was, or give access back with customers resume. Keys stay, for a customer who comes back.`;

async function cancel(context: Context, customerId: string, options: Options): Promise<undefined> {
  const known = await findCustomer(context, customerId);
  const when = options.atPeriodEnd ? 'at the end of its period' : 'now, with a final invoice';
  await confirmed(context, `Cancel the subscription of ${known.email ?? customerId} ${when}?`);
  const [store, billing, host] = [await context.store(), await context.billing(), await context.host()];
  const courier = await openCourier(context);
  const signal = new AbortController().signal;
  const send = async () => {
    await courier.tick(signal);
    return courier.state().stopped;
  };
  const deps = { store, billing, clock: host.clock, send };
  const { actor } = context;
  const order = { customerId, waitMs: waitMsOf(options.wait), force: options.force === true, actor };
  const outcome = options.atPeriodEnd
    ? await cancelAtPeriodEnd(deps, customerId)
    : await cancelCustomer(deps, order);
  const { customer, subscriptions, pendingUnits } = outcome;
  const rule = await statusRule(context);
  if (subscriptions.length === 0) context.note('There was no subscription left to cancel.');
  if (pendingUnits !== 0) {
    const units = countOf(pendingUnits, 'unit');
    context.note(
      `${units} were not at Stripe yet. They are billed if they arrive before the final invoice is closed.`,
    );
  }
  showCustomer(context, customer, rule, { cancelled: subscriptions, pending_units: pendingUnits });
}

function waitMsOf(wait: Duration): number {
  const ms = durationMs(wait);
  if (ms !== undefined) return ms;
  throw new MeterctlError('invalid', '--wait must be a duration of a fixed length, such as 90s.');
}
