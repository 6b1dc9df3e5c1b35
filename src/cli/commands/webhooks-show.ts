/** `meterctl webhooks show`: one message of Stripe's, with its body. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';
import { findWebhook, showWebhook } from '../webhook-row.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<event>', "the event's id at Stripe", parse.id('evt')).action(run(show));
  addExamples(command, [['meterctl webhooks show evt_1QWeRtYuIoP', 'what Stripe said, word by word']]);
}

async function show(context: Context, eventId: string): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  showWebhook(context, await findWebhook(context, eventId), nowMs);
}
