/** What can be wrong with a meter event. Each API decides which of it to refuse at once and which to report later. */

import type { Account } from '../account.js';
import { timeOf } from '../billing/timeline.js';
import type { Stored } from '../object-kinds.js';
import type { NewMeterEvent } from './meter-ledger.js';
import { meterOfEvents } from './meters.js';

/** Stripe: at most 35 days back, 5 minutes ahead, and identifiers are unique for (at least) 24 hours. */
const pastSecMax = 35 * 86_400;
const futureSecMax = 5 * 60;
const uniqueSec = 24 * 3600;
/** Stripe: since 2026-04-22.dahlia a value has at most 15 significant digits. */
const digitsMax = 15;

/** One kind of mistake. */
export type Mistake =
  | 'no_meter'
  | 'archived_meter'
  | 'too_old'
  | 'too_new'
  | 'no_customer'
  | 'customer_not_found'
  | 'no_value'
  | 'invalid_value'
  | 'too_many_digits'
  | 'duplicate';

/** A mistake, in words. */
interface Finding {
  mistake: Mistake;
  message: string;
}

/** A meter event as somebody sent it, by whichever API. */
export interface Submission {
  eventName: string;
  payload: Record<string, string>;
  identifier: string | undefined;
  timestampSec: number | undefined;
  /** The Idempotency-Key of the request, where it had one. */
  requestKey: string | undefined;
}

/** The event as it would be recorded, and everything wrong with it, most fundamental first. */
export interface Examined {
  event: Omit<NewMeterEvent, 'refusal'>;
  findings: Finding[];
}

/** Looks at a meter event from all sides. Writes nothing. Stripe: stripe-facts 3a. */
export function examine(account: Account, submission: Submission): Examined {
  const { eventName, payload } = submission;
  const receivedSec = account.clock.nowSec();
  const identifier = submission.identifier ?? account.newId('mevt');
  const meter = meterOfEvents(account, eventName);
  const customerId = meter && payload[meter.customer_mapping.event_payload_key];
  const customer = customerId ? account.objects.get('customer', customerId) : undefined;
  const nowSec = customer ? timeOf(account, customer.test_clock) : receivedSec;
  const timestampSec = submission.timestampSec ?? nowSec;
  const { value, finding: valueFinding } = valueIn(meter, payload);
  const findings = [
    meterFinding(meter, eventName),
    timeFinding(timestampSec, nowSec),
    meter && customerFinding(meter, customerId, customer !== undefined),
    valueFinding,
    account.meterLedger.find(identifier, receivedSec - uniqueSec) && {
      mistake: 'duplicate' as const,
      message: `An event already exists with identifier ${identifier}.`,
    },
  ];
  return {
    event: {
      identifier,
      eventName,
      meter: meter?.id,
      customer: customer?.id,
      value,
      timestampSec,
      receivedSec,
      payload,
      requestKey: submission.requestKey ?? identifier,
    },
    findings: findings.filter((finding) => finding !== undefined),
  };
}

function meterFinding(meter: Stored<'meter'> | undefined, eventName: string): Finding | undefined {
  if (!meter) return { mistake: 'no_meter', message: `No active meter found for event name "${eventName}"` };
  if (meter.status === 'active') return undefined;
  return {
    mistake: 'archived_meter',
    message: `No active meter found for event name "${eventName}": the meter ${meter.id} is deactivated.`,
  };
}

function timeFinding(timestampSec: number, nowSec: number): Finding | undefined {
  if (timestampSec < nowSec - pastSecMax) {
    return {
      mistake: 'too_old',
      message: `The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to ${nowSec - pastSecMax}, received ${timestampSec}.`,
    };
  }
  if (timestampSec > nowSec + futureSecMax) {
    return {
      mistake: 'too_new',
      message: `The event timestamp cannot be more than 5 minutes in the future. Expected a timestamp less than or equal to ${nowSec + futureSecMax}, received ${timestampSec}.`,
    };
  }
  return undefined;
}

function customerFinding(
  meter: Stored<'meter'>,
  customerId: string | undefined,
  known: boolean,
): Finding | undefined {
  if (!customerId) {
    const key = meter.customer_mapping.event_payload_key;
    return {
      mistake: 'no_customer',
      message: `The customer mapping key ${key} is missing from the payload.`,
    };
  }
  if (known) return undefined;
  return { mistake: 'customer_not_found', message: `No customer found with id ${customerId}.` };
}

/** The value of an event, and what is wrong with it. A meter that counts events needs none. */
function valueIn(
  meter: Stored<'meter'> | undefined,
  payload: Record<string, string>,
): { value: string | undefined; finding?: Finding } {
  const key = meter?.value_settings.event_payload_key ?? 'value';
  const value = payload[key];
  if (value === undefined) {
    if (!meter || meter.default_aggregation.formula === 'count') return { value: '1' };
    const message = `The value key ${key} is missing from the payload.`;
    return { value, finding: { mistake: 'no_value', message } };
  }
  if (!/^-?\d{1,400}(\.\d{1,400})?$/.test(value)) {
    const message = `The value ${value.slice(0, 60)} of the payload key ${key} is not a valid decimal number.`;
    return { value: undefined, finding: { mistake: 'invalid_value', message } };
  }
  if (value.replace(/[-.]/g, '').replace(/^0+/, '').length > digitsMax) {
    const message = `The value ${value.slice(0, 60)} of the payload key ${key} has more than ${digitsMax} significant digits.`;
    return { value: undefined, finding: { mistake: 'too_many_digits', message } };
  }
  return { value };
}

/** The codes under which mistakes are reported later (stripe-facts 3d). Duplicates are dropped without a word. */
const reportCodes: Record<Exclude<Mistake, 'duplicate'>, string> = {
  no_meter: 'no_meter',
  archived_meter: 'archived_meter',
  too_old: 'timestamp_too_far_in_past',
  too_new: 'timestamp_in_future',
  no_customer: 'meter_event_no_customer_defined',
  customer_not_found: 'meter_event_customer_not_found',
  no_value: 'meter_event_invalid_value',
  invalid_value: 'meter_event_invalid_value',
  too_many_digits: 'meter_event_value_too_many_digits',
};

/** Records an event: for nothing when something is wrong with it, which is then reported later. */
export function recordExamined(account: Account, { event, findings }: Examined): void {
  const [first] = findings;
  if (findings.some(({ mistake }) => mistake === 'duplicate')) return;
  account.meterLedger.record({
    ...event,
    refusal:
      first && first.mistake !== 'duplicate'
        ? { code: reportCodes[first.mistake], message: first.message }
        : undefined,
  });
}
