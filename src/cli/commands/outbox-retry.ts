/** `meterctl outbox retry`: another attempt at what is named, else at all that is pending, now. */

import type { Command } from 'commander';
import type { Delivery, OutboxStatus, RetryResult } from '../../domain/delivery.js';
import { countText } from '../../terminal/money.js';
import { paintStatus } from '../../terminal/paint.js';
import { tableText } from '../../terminal/table.js';
import { noteInAudit } from '../audit-note.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { exitNotFound, exitUnauthorized, exitUnavailable } from '../exit.js';
import { openCourier } from '../open-courier.js';

/** Why a delivery that was named is not tried again. */
const declined: Partial<Record<RetryResult, string>> = {
  open: 'Its window still takes usage; it is sent once that has ended.',
  claimed: 'It is being sent right now.',
  delivered: 'Stripe has it already.',
  uncertain:
    'Stripe may have it: sent again, it could be billed twice. Run meterctl reconcile --repair, or say what became of it with meterctl outbox settle.',
  unknown: 'There is no such delivery.',
};

/** What is left after an attempt at all is little, or Stripe out of reach. */
const lookedAtMax = 200;

/** What came of one delivery that was named. */
interface Attempt {
  id: string;
  retried: boolean;
  /** `null` when there is no such delivery. */
  state: string | null;
  reason: string | null;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[ids...]', 'deliveries, as outbox list shows them; without any, all that is pending')
    .addHelpText(
      'after',
      '\nA refused delivery is sent again only when it is named. It is safe beside a running daemon.',
    )
    .action(run(retry));
  addExamples(command, [
    ['meterctl outbox retry', 'send what is pending now, instead of when its next attempt is due'],
    ['meterctl outbox retry dlv_01KAN5W8', 'once the reason why Stripe refused it is mended'],
  ]);
}

async function retry(context: Context, ids: string[]): Promise<number | undefined> {
  const [store, host] = [await context.store(), await context.host()];
  const courier = await openCourier(context);
  const startMs = host.clock.nowMs();
  const before = await store.countDeliveries(startMs);
  const signal = new AbortController().signal;
  if (ids.length === 0) {
    await store.hastenDeliveries(host.clock.nowMs());
    await courier.flush(signal);
  }
  const results = await store.retryDeliveries(ids, host.clock.nowMs());
  for (const [index, id] of ids.entries()) {
    if (results[index] !== 'retried') continue;
    const customerId = (await store.findDelivery(id))?.customerId ?? null;
    await noteInAudit(context, { action: 'delivery.retried', subject: id, customerId, details: {} });
  }
  if (ids.length > 0) await courier.tick(signal);
  const attempts: Attempt[] = [];
  for (const [index, id] of ids.entries()) attempts.push(await attemptOf(context, id, results[index]));
  const after = await store.countDeliveries(host.clock.nowMs());
  const { oldestPendingMs: _, ...outbox } = after;
  context.show({
    json: () => ({ data: attempts, outbox }),
    text: () => (ids.length === 0 ? summary(before, after) : table(context, attempts)),
  });
  const { stopped, trouble } = courier.state();
  const why = stopped ?? trouble ?? (await findPutOff(context, ids, startMs))?.reason;
  if (why) context.note(`Not all could be sent: ${why}`);
  // Only a refused key, or one that lacks a permission, stops the courier.
  if (stopped !== null) return exitUnauthorized;
  if (why) return exitUnavailable;
  return attempts.some(({ state }) => state === null) ? exitNotFound : undefined;
}

/** One of those to be sent whose attempt came to nothing, although Stripe took others. */
async function findPutOff(
  context: Context,
  ids: readonly string[],
  sinceMs: number,
): Promise<Delivery | undefined> {
  const store = await context.store();
  const asked =
    ids.length === 0
      ? (await store.listDeliveries({ state: 'pending' }, { limit: lookedAtMax })).data
      : await Promise.all(ids.map((id) => store.findDelivery(id)));
  return asked.find((delivery) => delivery?.state === 'pending' && delivery.nextAttemptAtMs > sinceMs);
}

async function attemptOf(context: Context, id: string, result: RetryResult | undefined): Promise<Attempt> {
  const retried = result === 'retried' || result === 'hastened';
  const delivery = await (await context.store()).findDelivery(id);
  const why = result === undefined || retried ? delivery?.reason : declined[result];
  return { id, retried, state: delivery?.state ?? null, reason: why ?? null };
}

function summary(before: OutboxStatus, after: OutboxStatus): string {
  if (before.pending + before.claimed === 0) return 'Nothing is pending.';
  const changed = (state: 'delivered' | 'refused' | 'uncertain') =>
    `${countText(Math.max(0, after[state] - before[state]))} ${state}`;
  const left = `${countText(after.pending + after.claimed)} still pending`;
  return `${[changed('delivered'), changed('refused'), changed('uncertain'), left].join(', ')}.`;
}

function table(context: Context, attempts: readonly Attempt[]): string {
  const columns = [
    { title: 'ID' },
    { title: 'STATE' },
    { title: 'RETRIED' },
    { title: 'REASON', flexible: true },
  ];
  const rows = attempts.map(({ id, state, retried, reason }) => [
    id,
    { text: state ?? 'unknown', paint: (text: string) => paintStatus(context.paint, text) },
    retried ? 'yes' : 'no',
    reason ?? '',
  ]);
  return tableText(context.terminal.stdout, columns, rows);
}
