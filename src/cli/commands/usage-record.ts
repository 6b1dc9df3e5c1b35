/** `meterctl usage record`: usage that no call made, a batch job for instance. */

import type { Command } from 'commander';
import { recordUsageOnce } from '../../metering/record-once.js';
import { countOf } from '../../terminal/money.js';
import { noteInAudit } from '../audit-note.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';

/** Stripe counts with at most 15 digits (stripe-facts 3a). */
const unitsMax = 999_999_999_999;

interface Options {
  customer: string;
  units: number;
  correct?: true;
  at?: number;
  idempotencyKey?: string;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .requiredOption('--customer <id>', 'who used it', parse.id('cus'))
    .requiredOption('--units <number>', 'how much', units)
    .option('--correct', 'take units off what was recorded: they are below zero')
    .option('--at <time>', 'when it was used, at most 35 days ago; now by default', parse.time)
    .option('--idempotency-key <key>', 'record it once, however often this is run', parse.shortText)
    .action(run(record));
  addExamples(command, [
    ['meterctl usage record --customer cus_NffrFeUfNV2Hib --units 250', 'used just now'],
    [
      'meterctl usage record --customer cus_NffrFeUfNV2Hib --units 9 --at 2026-11-01T09:30:00Z --idempotency-key job-42',
      'used earlier, safe to run again',
    ],
    [
      'meterctl usage record --customer cus_NffrFeUfNV2Hib --units -40 --correct --at 2026-11-01T09:30:00Z',
      'take back a part; usage void takes back a whole record',
    ],
  ]);
}

/** Above zero, or below it for a correction. */
function units(text: string): number {
  const count = parse.wholeNumber(1, unitsMax);
  return text.startsWith('-') ? -count(text.slice(1)) : count(text);
}

async function record(context: Context, options: Options): Promise<undefined> {
  const { catalog, delivery } = context.readySettings();
  const host = await context.host();
  const settings = { meter: catalog.eventName, windowMs: delivery.windowMs };
  const recorded = await recordUsageOnce(
    { store: await context.store(), host, settings },
    {
      customerId: options.customer,
      units: options.units,
      correct: options.correct,
      atMs: options.at ?? host.clock.nowMs(),
      idempotencyKey: options.idempotencyKey,
    },
  );
  if (recorded.recorded === 'new') {
    await noteInAudit(context, {
      action: 'usage.recorded',
      subject: String(recorded.id),
      customerId: options.customer,
      details: {
        units: recorded.units,
        at_ms: options.at ?? null,
        idempotency_key: options.idempotencyKey ?? null,
      },
    });
  }
  context.show({
    json: () => ({ id: recorded.id, units: recorded.units, recorded: recorded.recorded }),
    text: () =>
      recorded.recorded === 'new'
        ? `Recorded ${countOf(recorded.units, 'unit')} as ${recorded.id}.`
        : `Nothing to do: this idempotency key recorded ${countOf(recorded.units, 'unit')} as ${recorded.id} before.`,
  });
  if (recorded.periodUnits < 0) {
    const left = countOf(recorded.periodUnits, 'unit');
    context.note(`The period now stands at ${left}: Stripe bills nothing for a period below zero.`);
  }
}
