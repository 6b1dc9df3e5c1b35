/** `meterctl outbox list`: one page of deliveries, newest first. */

import { type Command, Option } from 'commander';
import { type Delivery, type DeliveryState, deliveryStates } from '../../domain/delivery.js';
import { rfc3339 } from '../../lib/rfc3339.js';
import { countText } from '../../terminal/money.js';
import { paintStatus } from '../../terminal/paint.js';
import { timeText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { addPageOptions, type PageOptions, pageRequest, showPage } from '../pages.js';
import * as parse from '../parse.js';

interface Options extends PageOptions {
  customer?: string;
  state?: DeliveryState;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--customer <id>', 'only deliveries of this customer', parse.id('cus'))
    .addOption(new Option('--state <state>', 'only deliveries in this state').choices(deliveryStates));
  addPageOptions(command).action(run(list));
  addExamples(command, [
    ['meterctl outbox list', 'the newest deliveries'],
    ['meterctl outbox list --state refused', 'what Stripe would not take, and why'],
  ]);
}

async function list(context: Context, options: Options): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  const filter = { customerId: options.customer, state: options.state };
  const page = await (await context.store()).listDeliveries(filter, pageRequest(options));
  showPage(context, page, {
    columns: [
      { title: 'ID' },
      { title: 'CUSTOMER' },
      { title: 'UNITS', align: 'right' },
      { title: 'STATE' },
      { title: 'USED', optional: true },
      { title: 'TRIES', align: 'right', optional: true },
      { title: 'REASON', flexible: true },
    ],
    row: (delivery) => [
      delivery.id,
      delivery.customerId,
      countText(delivery.units),
      { text: delivery.state, paint: (text) => paintStatus(context.paint, text) },
      timeText(context.terminal.stdout, delivery.timestampMs, nowMs),
      countText(delivery.attempts),
      delivery.reason ?? '',
    ],
    json: deliveryJson,
    none: 'There are no such deliveries.',
  });
}

function deliveryJson(delivery: Delivery) {
  return {
    id: delivery.id,
    customer: delivery.customerId,
    meter: delivery.meter,
    units: delivery.units,
    state: delivery.state,
    timestamp: rfc3339(delivery.timestampMs),
    window: { start: rfc3339(delivery.window.startMs), end: rfc3339(delivery.window.endMs) },
    corrects: delivery.corrects,
    attempts: delivery.attempts,
    reason: delivery.reason,
    delivered_at: delivery.deliveredAtMs === null ? null : rfc3339(delivery.deliveredAtMs),
  };
}
