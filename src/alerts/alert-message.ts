/** An alert as the outside reads it: the payload that webhooks carry and commands get. */

import type { NewAlert } from '../domain/alert.js';
import { majorFromMinor } from '../domain/money.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** The payload, in the form that Standard Webhooks recommends. */
export interface AlertMessage {
  type: 'limit.threshold_reached' | 'alert.test';
  timestamp: string;
  data: Record<string, unknown>;
}

/** The message of an alert. Money is in major units of `currency`. */
export function alertMessage(alert: NewAlert, currency: string): AlertMessage {
  const { id, customerId, meter, limit, threshold, window } = alert;
  const isMoney = limit === 'spend_cap';
  const amount = (value: number): number | string => (isMoney ? majorFromMinor(value, currency) : value);
  return {
    type: 'limit.threshold_reached',
    timestamp: rfc3339(alert.raisedAtMs),
    data: {
      ...{ id, customer: customerId, meter, limit, threshold },
      ...{ used: amount(alert.used), allowed: amount(alert.allowed), currency: isMoney ? currency : null },
      period: { start: rfc3339(window.startMs), end: window.endMs === null ? null : rfc3339(window.endMs) },
    },
  };
}

/** A message that is about nothing, to see whether messages arrive. */
export function testMessage(id: string, atMs: number): AlertMessage {
  return { type: 'alert.test', timestamp: rfc3339(atMs), data: { id } };
}
