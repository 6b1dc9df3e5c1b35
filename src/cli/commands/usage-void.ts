/** `meterctl usage void`: takes recorded usage back, so that it is not billed; the ledger keeps both. */

import type { Command } from 'commander';
import type { VoidedUsage } from '../../domain/usage.js';
import { voidUsage } from '../../metering/void-usage.js';
import { countOf } from '../../terminal/money.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';

interface Options {
  reason: string;
}

/** What becomes of the units at Stripe. */
const consequences: Record<VoidedUsage['how'], string> = {
  shrunk: 'Stripe does not have them, and will not get them.',
  cancelled: 'Stripe is asked to cancel its event with the next delivery.',
  negative: 'Stripe gets an event that takes them off with the next delivery, once it has theirs.',
};

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('<id>', 'the number that usage record printed', parse.wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--reason <text>', 'why; it is kept with the usage', parse.shortText)
    .addHelpText('after', '\nOnce the invoice of its period is final, only a credit note in Stripe helps.')
    .action(run(takeBack));
  addExamples(command, [
    [
      'meterctl usage void 4711 --reason "recorded twice by the nightly job"',
      'take a whole record back, once',
    ],
  ]);
}

async function takeBack(context: Context, usageId: number, { reason }: Options): Promise<undefined> {
  const [store, host] = [await context.store(), await context.host()];
  const voided = await voidUsage({ store, host }, { usageId, reason, actor: context.actor });
  const { id, units, voids, recorded, how } = voided;
  context.show({
    json: () => ({ id, units, voids, recorded, how }),
    text: () =>
      recorded === 'new'
        ? `Took ${countOf(-units, 'unit')} of usage ${voids} back as ${id}. ${consequences[how]}`
        : `Nothing to do: usage ${voids} was taken back as ${id} before ("${voided.reason}").`,
  });
}
