/** `meterctl reconcile`: whether ledger, deliveries and Stripe's own counts say the same. */

import type { Command } from 'commander';
import { type Reconciliation, reconcile, reconcilePaces, reconcileRange } from '../../delivery/reconcile.js';
import { type Drift, type DriftCause, differenceOf } from '../../domain/reconciliation.js';
import type { ReconciliationStore } from '../../domain/store.js';
import type { Period } from '../../domain/subscription.js';
import { beforeDuration } from '../../lib/duration.js';
import { rfc3339 } from '../../lib/rfc3339.js';
import { countOf, countText } from '../../terminal/money.js';
import { openProgress } from '../../terminal/progress.js';
import { tableText } from '../../terminal/table.js';
import { noteInAudit } from '../audit-note.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { findCustomer } from '../customer-row.js';
import { exitFound } from '../exit.js';
import * as parse from '../parse.js';

interface Options {
  customer?: string;
  from?: parse.Moment;
  to?: parse.Moment;
  repair?: true;
}

/** Each cause in words, and what the operator can do about it. */
const causes: Record<DriftCause, { words: string; mend: string }> = {
  uncertain: {
    words: 'uncertain',
    mend:
      'Whether these arrived is not known. --repair settles them as soon as the counts prove one or the other; ' +
      'look at the others in the Dashboard and say what you found with meterctl outbox settle.',
  },
  missing_at_stripe: {
    words: 'missing at Stripe',
    mend: 'Stripe accepted this and does not count it. --repair sends it again, once an hour has proved it lost.',
  },
  more_at_stripe: {
    words: 'more at Stripe',
    mend: 'Somebody else sends events to this meter. Find out who (the request log of the Dashboard); cancel or credit them.',
  },
  refused: {
    words: 'refused',
    mend: 'See why with meterctl outbox list --state refused; when it is mended, meterctl outbox retry.',
  },
  no_such_customer: {
    words: 'no such customer',
    mend: 'Stripe no longer has this customer: what was used can only be billed by hand.',
  },
  not_invoiced: {
    words: 'not invoiced',
    mend: 'The subscription was ended at once and without a final invoice, or that was voided, so Stripe drops this, unless it was a trial. Put it on an invoice by hand, or write it off. meterctl customers cancel makes the final invoice.',
  },
  ledger_and_deliveries_differ: {
    words: 'ledger and deliveries differ',
    mend: 'Something else has written to the database. Compare it with a backup.',
  },
};

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--customer <id>', 'only this customer', parse.id('cus'))
    .option('--from <time>', 'start: a time, or how long ago; 35d by default', parse.moment)
    .option(
      '--to <time>',
      'end, not included: a time, or how long ago; by default as late as can be judged',
      parse.moment,
    )
    .option('--repair', 'settle uncertain deliveries, and send again what Stripe provably lacks')
    .addHelpText(
      'after',
      "\nExit code 0 when all agrees, 3 when something differs. Usage that is still pending is no difference.\nStripe's counts lag: on Stripe itself the last 15 minutes are not judged.",
    )
    .action(run(compare));
  addExamples(command, [
    ['meterctl reconcile', 'everybody, as far back as Stripe takes usage'],
    ['meterctl reconcile --customer cus_NffrFeUfNV2Hib --from 24h', "one customer's last day"],
    ['meterctl reconcile --repair', 'and mend what is proved'],
  ]);
}

async function compare(context: Context, options: Options): Promise<number> {
  const { catalog, mode } = context.readySettings();
  const host = await context.host();
  const store = await context.store();
  if (options.customer !== undefined) await findCustomer(context, options.customer);
  const pace = reconcilePaces[mode];
  const nowMs = host.clock.nowMs();
  const wish = { fromMs: msOf(options.from, nowMs), toMs: msOf(options.to, nowMs) };
  const range = reconcileRange(wish, nowMs, pace);
  const billing = await context.billing();
  const found = await withProgress(context, store, range, options.customer, (onChecked) =>
    reconcile(
      { store, billing, host, meter: catalog.eventName, pace },
      {
        ...{ range, onChecked, customerId: options.customer },
        older: options.from === undefined && options.to === undefined,
        repair: options.repair ? 'all' : 'none',
        signal: new AbortController().signal,
      },
    ),
  );
  if (found.repaired > 0) {
    const [subject, details] = [options.customer ?? 'all', { deliveries: found.repaired }];
    const customerId = options.customer ?? null;
    await noteInAudit(context, { action: 'delivery.repaired', subject, customerId, details });
  }
  context.show({ json: () => reconciliationJson(found), text: () => text(context, found) });
  return found.drift.length === 0 ? 0 : exitFound;
}

function msOf(moment: parse.Moment | undefined, nowMs: number): number | undefined {
  if (moment === undefined) return undefined;
  return 'atMs' in moment ? moment.atMs : beforeDuration(nowMs, moment.distance);
}

async function withProgress<T>(
  { terminal, flags }: Context,
  store: ReconciliationStore,
  range: Period,
  customerId: string | undefined,
  work: (onChecked: (checked: number) => void) => Promise<T>,
): Promise<T> {
  const shown = terminal.stderr.isTty && !flags.quiet && customerId === undefined;
  if (!shown) return work(() => undefined);
  const progress = openProgress(terminal.stderr, 'customers', await store.countReconciledCustomers(range));
  try {
    return await work(progress.update);
  } finally {
    progress.close();
  }
}

function reconciliationJson({ range, checked, drift, driftOmitted, repaired }: Reconciliation) {
  return {
    from: rfc3339(range.startMs),
    to: rfc3339(range.endMs),
    checked,
    drift: drift.map(driftJson),
    drift_omitted: driftOmitted,
    repaired,
  };
}

function driftJson(drift: Drift) {
  return {
    customer: drift.customerId,
    from: rfc3339(drift.startMs),
    to: rfc3339(drift.endMs),
    ledger: drift.ledger,
    pending: drift.pending,
    stripe: drift.stripe,
    difference: differenceOf(drift),
    cause: drift.cause,
    deliveries: drift.deliveryIds,
  };
}

function text(context: Context, { range, checked, drift, driftOmitted, repaired }: Reconciliation): string {
  const { paint, terminal } = context;
  const mended = repaired === 0 ? '' : `Deliveries repaired: ${countText(repaired)}.\n`;
  const scope = `${countOf(checked, 'customer')} from ${rfc3339(range.startMs)} to ${rfc3339(range.endMs)}`;
  if (drift.length === 0)
    return `${mended}${paint.good('Ledger, deliveries and Stripe agree')} for ${scope}.\n`;
  const table = tableText(
    terminal.stdout,
    [
      { title: 'CUSTOMER' },
      { title: 'FROM' },
      { title: 'TO' },
      { title: 'LEDGER', align: 'right' },
      { title: 'STRIPE', align: 'right' },
      { title: 'DIFFERENCE', align: 'right' },
      { title: 'CAUSE' },
    ],
    drift.map((row) => [
      row.customerId,
      rfc3339(row.startMs),
      rfc3339(row.endMs),
      countText(row.ledger),
      countText(row.stripe),
      { text: countText(differenceOf(row)), paint: paint.bad },
      causes[row.cause].words,
    ]),
  );
  const more = driftOmitted === 0 ? '' : `… and ${countText(driftOmitted)} more.\n`;
  const mends = [...new Set(drift.map(({ cause }) => cause))].map(
    (cause) => `${paint.strong(causes[cause].words)}: ${causes[cause].mend}\n`,
  );
  return `${table}${more}\n${mended}${mends.join('')}${paint.bad('Something differs')} among ${scope}.\n`;
}
