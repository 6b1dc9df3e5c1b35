/** `meterctl webhooks list`: one page of Stripe's messages, newest first. */

import { type Command, Option } from 'commander';
import { type WebhookState, webhookStates } from '../../domain/webhook.js';
import { paintStatus } from '../../terminal/paint.js';
import { timeText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { addPageOptions, type PageOptions, pageRequest, showPage } from '../pages.js';
import { webhookJson } from '../webhook-row.js';

interface Options extends PageOptions {
  state?: WebhookState;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.addOption(new Option('--state <state>', 'only messages in this state').choices(webhookStates));
  addPageOptions(command).action(run(list));
  addExamples(command, [
    ['meterctl webhooks list', 'what Stripe said last'],
    ['meterctl webhooks list --state failed', 'what was given up, and why'],
  ]);
}

async function list(context: Context, options: Options): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  const page = await (await context.store()).listWebhooks({ state: options.state }, pageRequest(options));
  showPage(context, page, {
    columns: [
      { title: 'ID' },
      { title: 'TYPE' },
      { title: 'STATE' },
      { title: 'CREATED', optional: true },
      { title: 'BY', optional: true },
      { title: 'REASON', flexible: true },
    ],
    row: (webhook) => [
      webhook.id,
      webhook.type,
      { text: webhook.state, paint: (text) => paintStatus(context.paint, text) },
      timeText(context.terminal.stdout, webhook.createdAtMs, nowMs),
      webhook.source,
      webhook.reason ?? '',
    ],
    json: webhookJson,
    none: 'There are no such messages. Ask Stripe for missed ones with: meterctl webhooks sync',
  });
}
