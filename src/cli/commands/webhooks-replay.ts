/** `meterctl webhooks replay`: applies one stored message again, now. */

import type { Command } from 'commander';
import { createEventApplier } from '../../apply-event.js';
import { applyMessages } from '../../webhooks/apply-messages.js';
import { eventTarget } from '../../webhooks/event-target.js';
import { noteInAudit } from '../audit-note.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';
import { findWebhook, showWebhook } from '../webhook-row.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<event>', "the event's id at Stripe", parse.id('evt')).action(run(replay));
  command.addHelpText(
    'after',
    '\nA message may be applied any number of times: it only makes Stripe be asked again.',
  );
  addExamples(command, [['meterctl webhooks replay evt_1QWeRtYuIoP', 'after what made it fail is mended']]);
}

async function replay(context: Context, eventId: string): Promise<undefined> {
  const webhook = await findWebhook(context, eventId);
  const [store, billing, host] = [await context.store(), await context.billing(), await context.host()];
  const meter = context.readySettings().catalog.eventName;
  const apply = createEventApplier({ store, billing, host, meter });
  const error = await applyMessages({ store, host, apply }, eventTarget(webhook), [webhook]);
  if (error !== undefined) throw error;
  await noteInAudit(context, { action: 'webhook.replayed', subject: eventId, customerId: null, details: {} });
  showWebhook(context, await findWebhook(context, eventId), host.clock.nowMs());
}
