/** `meterctl alerts list`: which limits were reached how far, newest first. */

import type { Command } from 'commander';
import { alertMessage } from '../../alerts/alert-message.js';
import type { Alert, AlertSend } from '../../domain/alert.js';
import { rfc3339 } from '../../lib/rfc3339.js';
import { timeText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { addPageOptions, type PageOptions, pageRequest, showPage } from '../pages.js';
import * as parse from '../parse.js';

interface Options extends PageOptions {
  customer?: string;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.option('--customer <id>', 'only those of this customer', parse.id('cus'));
  addPageOptions(command).action(run(list));
  addExamples(command, [
    ['meterctl alerts list', 'who came near a limit'],
    ['meterctl alerts list --customer cus_NffrFeUfNV2Hib --json', 'the same of one customer, for a script'],
  ]);
}

async function list(context: Context, options: Options): Promise<undefined> {
  const { nowMs } = (await context.host()).clock;
  const { currency } = context.readySettings().catalog;
  const store = await context.store();
  const page = await store.listAlerts({ customerId: options.customer }, pageRequest(options));
  const atMs = nowMs();
  showPage(context, page, {
    columns: [
      { title: 'WHEN' },
      { title: 'CUSTOMER' },
      { title: 'LIMIT' },
      { title: 'REACHED', align: 'right' },
      { title: 'USED', align: 'right', optional: true },
      { title: 'OF', align: 'right', optional: true },
      { title: 'SENT', flexible: true, optional: true },
    ],
    row: (alert) => {
      const { used, allowed } = alertMessage(alert, currency).data;
      return [
        timeText(context.terminal.stdout, alert.raisedAtMs, atMs),
        alert.customerId,
        alert.limit,
        `${alert.threshold} %`,
        String(used),
        String(allowed),
        alert.sends.map(sendText).join(', '),
      ];
    },
    json: (alert) => alertJson(alert, currency),
    none: 'No limit has been reached as far as alerts are set.',
  });
}

function sendText({ sink, state, reason }: AlertSend): string {
  return `${sink}: ${state}${reason === null ? '' : ` (${reason})`}`;
}

function alertJson(alert: Alert, currency: string) {
  return {
    ...alertMessage(alert, currency).data,
    raised_at: rfc3339(alert.raisedAtMs),
    sends: alert.sends.map(({ sink, state, attempts, nextAttemptAtMs, reason }) => ({
      ...{ sink, state, attempts },
      next_attempt_at: state === 'pending' ? rfc3339(nextAttemptAtMs) : null,
      reason,
    })),
  };
}
