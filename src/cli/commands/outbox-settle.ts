/** `meterctl outbox settle`: the operator's word for what became of deliveries that no comparison can settle. */

import { type Command, Option } from 'commander';
import type { HandSettlement } from '../../domain/delivery.js';
import { paintStatus } from '../../terminal/paint.js';
import { tableText } from '../../terminal/table.js';
import { addExamples, type Runner } from '../command.js';
import { type Context, confirmed } from '../context.js';
import { exitNotFound } from '../exit.js';

interface Options {
  as: 'delivered' | 'refused';
}

/** Why a delivery that was named is left as it is. */
const declined: Partial<Record<HandSettlement, string>> = {
  open: 'Its window still takes usage.',
  pending: 'It is going to be sent.',
  claimed: 'It is being sent right now.',
  delivered: 'Stripe has it already.',
  refused: 'It was refused already.',
  unknown: 'There is no such delivery.',
};

/** What the word means for the customer, before it is given. */
const questions: Record<Options['as'], string> = {
  delivered: 'If Stripe does not have these, they will never be billed. Are they at Stripe?',
  refused: 'If Stripe has these and they are retried, they are billed twice. Are they surely not at Stripe?',
};

/** What came of one delivery that was named. */
interface Settled {
  id: string;
  settled: boolean;
  /** `null` when there is no such delivery. */
  state: string | null;
  reason: string | null;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('<ids...>', 'uncertain deliveries, as outbox list shows them')
    .addOption(
      new Option('--as <state>', 'delivered: Stripe has them. refused: it does not')
        .choices(['delivered', 'refused'])
        .makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      '\nFor what reconcile --repair cannot settle: look the usage up in the Dashboard first, because nothing checks your' +
        '\nword. Nothing is sent by this; a refused delivery is sent again by outbox retry alone. Who settled what stands in' +
        '\nthe audit log.',
    )
    .action(run(settle));
  addExamples(command, [
    ['meterctl outbox settle dlv_01KAN5W8 --as delivered', 'the Dashboard shows its units'],
    [
      'meterctl outbox settle dlv_01KAN5W8 --as refused',
      'it does not; then: meterctl outbox retry dlv_01KAN5W8',
    ],
  ]);
}

async function settle(context: Context, ids: string[], options: Options): Promise<number | undefined> {
  await confirmed(context, questions[options.as]);
  const [store, host] = [await context.store(), await context.host()];
  const act = { actor: context.actor, atMs: host.clock.nowMs() };
  const results = await store.settleByHand(ids, options.as, act);
  const settled: Settled[] = ids.map((id, index) => {
    const result = results[index] ?? 'unknown';
    if (result === 'settled') return { id, settled: true, state: options.as, reason: null };
    return {
      id,
      settled: false,
      state: result === 'unknown' ? null : result,
      reason: declined[result] ?? null,
    };
  });
  const { oldestPendingMs: _, ...outbox } = await store.countDeliveries(act.atMs);
  context.show({ json: () => ({ data: settled, outbox }), text: () => table(context, settled) });
  return settled.some(({ state }) => state === null) ? exitNotFound : undefined;
}

function table(context: Context, settled: readonly Settled[]): string {
  return tableText(
    context.terminal.stdout,
    [{ title: 'ID' }, { title: 'STATE' }, { title: 'SETTLED' }, { title: 'REASON', flexible: true }],
    settled.map(({ id, state, settled, reason }) => [
      id,
      { text: state ?? 'unknown', paint: (text: string) => paintStatus(context.paint, text) },
      settled ? 'yes' : 'no',
      reason ?? '',
    ]),
  );
}
