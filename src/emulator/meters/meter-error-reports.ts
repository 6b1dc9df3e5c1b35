/** Reports about meter events that were answered with 200 and turned out to be wrong (stripe-facts 3d). */

import type Stripe from 'stripe';
import type { Account } from '../account.js';
import { isoTime } from '../events/event-log.js';
import type { RefusedEvent } from './meter-ledger.js';

type Report = Stripe.Events.V1BillingMeterErrorReportTriggeredEvent['data'];

/** A report names so many events of each kind of error, and counts the rest. */
const samplesMax = 5;

/**
 * Emits one report a meter about everything refused so far, once the oldest has waited for the validation window.
 * Events without a meter are reported together. Returns how many events were reported.
 */
export function reportMeterErrors(account: Account): number {
  const nowSec = account.clock.nowSec();
  const { errorReportDelaySec } = account.faults.get();
  if (account.meterLedger.refused(nowSec - errorReportDelaySec).length === 0) return 0;
  return account.write(() => {
    const refused = account.meterLedger.refused(nowSec);
    for (const [meter, events] of groupBy(refused, (event) => event.meter)) {
      const data = report(events);
      if (meter === undefined) account.emitThin('v1.billing.meter.no_meter_found', undefined, data);
      else {
        const related = { id: meter, type: 'billing.meter', url: `/v1/billing/meters/${meter}` };
        account.emitThin('v1.billing.meter.error_report_triggered', related, data);
      }
    }
    account.meterLedger.markReported(refused.map(({ seq }) => seq));
    return refused.length;
  });
}

function report(events: RefusedEvent[]): Report {
  const times = events.map(({ receivedSec }) => receivedSec);
  return {
    developer_message_summary:
      events.length === 1 ? 'There is 1 invalid event' : `There are ${events.length} invalid events`,
    reason: {
      error_count: events.length,
      error_types: [...groupBy(events, ({ code }) => code)].map(([code, alike]) => ({
        code,
        error_count: alike.length,
        sample_errors: alike.slice(0, samplesMax).map(({ message, requestKey }) => ({
          error_message: message,
          request: { identifier: requestKey },
        })),
      })),
    },
    validation_end: isoTime(Math.max(...times) + 1),
    validation_start: isoTime(Math.min(...times)),
  };
}

function groupBy<Item, Key>(items: Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
