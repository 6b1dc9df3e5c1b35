/** `meterctl webhooks sync`: asks Stripe for the events that did not arrive, and applies what waits. */

import type { Command } from 'commander';
import { createEventApplier } from '../../apply-event.js';
import { countOf } from '../../terminal/money.js';
import { createDueWork } from '../../webhooks/apply-due.js';
import { catchUp, createThinNotice } from '../../webhooks/catch-up.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.action(run(sync));
  command.addHelpText('after', '\nStripe remembers 30 days. It is safe beside a running daemon.');
  addExamples(command, [['meterctl webhooks sync', 'after a time in which no webhook could arrive']]);
}

async function sync(context: Context): Promise<undefined> {
  const [store, billing, host] = [await context.store(), await context.billing(), await context.host()];
  const meter = context.readySettings().catalog.eventName;
  const { read, missed, forgotten, thinRefusal } = await catchUp({ store, billing, host });
  createThinNotice(host.log)(thinRefusal);
  const apply = createEventApplier({ store, billing, host, meter });
  const work = createDueWork({ store, host, apply }, () => undefined);
  const { applied, postponed } = await work.drain(new AbortController().signal);
  context.show({
    json: () => ({ read, missed, applied, postponed }),
    text: () =>
      `Stripe listed ${countOf(read, 'event')}, ${missed} of them new. Applied ${applied}${
        postponed === 0 ? '.' : `, and put ${postponed} off.`
      }`,
  });
  if (postponed > 0) context.note('See why with: meterctl webhooks list');
  if (forgotten) context.note('The last time was over 30 days ago. Run meterctl customers sync as well.');
}
