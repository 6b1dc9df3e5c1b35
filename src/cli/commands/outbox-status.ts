/** `meterctl outbox status`: how many deliveries stand where. */

import type { Command } from 'commander';
import { countText } from '../../terminal/money.js';
import { pairsText } from '../../terminal/table.js';
import { agoText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.action(run(status));
  addExamples(command, [
    ['meterctl outbox status', 'whether Stripe has everything'],
    ['meterctl outbox status --json | jq .oldest_pending_seconds', 'for a monitor'],
  ]);
}

async function status(context: Context): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  const { oldestPendingMs, ...counts } = await (await context.store()).countDeliveries(nowMs);
  const { pending, claimed, delivered, refused, uncertain } = counts;
  const { paint, terminal } = context;
  const loud = (count: number) => ({ text: countText(count), paint: count === 0 ? paint.faint : paint.bad });
  context.show({
    json: () => ({
      ...{ pending, claimed, delivered, refused, uncertain },
      oldest_pending_seconds: oldestPendingMs === null ? null : Math.floor(oldestPendingMs / 1000),
    }),
    text: () =>
      pairsText(terminal.stdout, [
        ['pending', countText(pending)],
        ['being sent', countText(claimed)],
        ['delivered', countText(delivered)],
        ['refused', loud(refused)],
        ['uncertain', loud(uncertain)],
        ['oldest pending', oldestPendingMs === null ? 'none' : agoText(nowMs - oldestPendingMs, nowMs)],
      ]),
  });
}
