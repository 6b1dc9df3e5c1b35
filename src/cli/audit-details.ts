/** What the audit log knows of a change, in the terms of the command line. */

import { formatQuota, formatRate, type Limits } from '../domain/limit.js';
import { majorFromMinor } from '../domain/money.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** The details of an entry: times as RFC 3339, limits as they are set, money in major units of `currency`. */
export function auditDetails(details: Record<string, unknown>, currency: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => {
      const word = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (word.endsWith('_ms')) return [word.slice(0, -'_ms'.length), timeOf(value)];
      // Only this program writes entries, and limits under this name.
      if (name === 'limits') return [name, value && limitsOf(value as Limits, currency)];
      return [word, value];
    }),
  );
}

function timeOf(value: unknown): unknown {
  return typeof value === 'number' ? rfc3339(value) : value;
}

/** `null` lifts a limit; what is absent is left to others. */
function limitsOf({ rate, quota, maxInFlight, spendCapMinor, prepaid }: Limits, currency: string) {
  const limits = {
    rate: rate && formatRate(rate),
    quota: quota && formatQuota(quota),
    max_in_flight: maxInFlight,
    spend_cap: spendCapMinor == null ? spendCapMinor : majorFromMinor(spendCapMinor, currency),
    prepaid_units: prepaid === null ? null : prepaid?.units,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}
