/** Meter events by all three ways in: what is refused at once, what is reported later, what is counted. */

import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { reportMeterErrors } from '../../src/emulator/meters/meter-error-reports.js';
import { createMeteredPrice, createTestStripe, openTestEmulator, refusal } from './open-test-emulator.js';

async function openWithMeter() {
  const opened = await openTestEmulator();
  const { meter } = await createMeteredPrice(opened.stripe);
  const customer = await opened.stripe.customers.create({ email: 'a@example.com' });
  const nowSec = opened.emulator.account.clock.nowSec();
  const minuteSec = Math.floor(nowSec / 60) * 60;
  const total = async () => {
    const list = await opened.stripe.billing.meters.listEventSummaries(meter.id, {
      customer: customer.id,
      start_time: minuteSec - 86_400 * 40,
      end_time: minuteSec + 86_400 * 40,
    });
    return list.data[0]?.aggregated_value;
  };
  const send = (change: Partial<Stripe.Billing.MeterEventCreateParams> = {}, value = '1') =>
    opened.stripe.billing.meterEvents.create({
      event_name: 'calls',
      payload: { stripe_customer_id: customer.id, value },
      ...change,
    });
  return { ...opened, meter, customer, nowSec, minuteSec, total, send };
}

describe('v1 meter events', () => {
  it('are echoed and counted exactly', async () => {
    const { send, total, nowSec, customer } = await openWithMeter();
    const event = await send({ identifier: 'e1', timestamp: nowSec - 60 }, '0.1');
    expect(event).toEqual({
      object: 'billing.meter_event',
      created: nowSec,
      event_name: 'calls',
      identifier: 'e1',
      livemode: false,
      payload: { stripe_customer_id: customer.id, value: '0.1' },
      timestamp: nowSec - 60,
    });
    await send({}, '0.2');
    await send({}, '-0.05');
    expect(await total()).toBe(0.25);
  });

  it('refuse a second event with an identifier, without a code and for ever not to be retried', async () => {
    const { send, total, emulator, nowSec } = await openWithMeter();
    await send({ identifier: 'e1' });
    const error = await refusal(send({ identifier: 'e1' }, '7'));
    expect(error).toMatchObject({
      statusCode: 400,
      rawType: 'invalid_request_error',
      message: 'An event already exists with identifier e1.',
    });
    expect(error.code).toBeUndefined();
    expect(error.headers?.['stripe-should-retry']).toBe('false');
    expect(await total()).toBe(1);
    emulator.account.clock.advanceTo(nowSec + 24 * 3600);
    expect((await refusal(send({ identifier: 'e1' }))).message).toContain('already exists');
    emulator.account.clock.advanceTo(nowSec + 24 * 3600 + 1);
    await send({ identifier: 'e1' });
  });

  it('refuse unknown names, wrong times, wrong values and what is no text', async () => {
    const { send, nowSec, meter, stripe, request, total } = await openWithMeter();
    const day = 86_400;
    const messages = [
      [send({ event_name: 'other' }), 'No active meter found for event name "other"'],
      [send({ timestamp: nowSec - 35 * day - 1 }), 'cannot be more than 35 days in past'],
      [send({ timestamp: nowSec + 301 }), 'more than 5 minutes in the future'],
      [send({}, '1e3'), 'not a valid decimal'],
      [send({}, 'many'), 'not a valid decimal'],
      [send({}, '.5'), 'not a valid decimal'],
      [send({}, '1234567890.123456'), '15 significant digits'],
      [send({ identifier: 'x'.repeat(101) }), 'at most 100 characters'],
    ] as const;
    for (const [call, message] of messages) expect((await refusal(call)).message).toContain(message);
    const nested = await request('/v1/billing/meter_events', {
      method: 'POST',
      body: 'event_name=calls&payload[value][a]=1',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(await nested.json()).toMatchObject({
      error: { param: 'payload[value]', message: 'Invalid string' },
    });
    await send({ timestamp: nowSec - 35 * day });
    await send({ timestamp: nowSec + 300 });
    await send({}, '0.00000123456789012345');
    expect(await total()).toBeCloseTo(2.00000123456789);
    await stripe.billing.meters.deactivate(meter.id);
    expect((await refusal(send())).message).toContain('No active meter found');
  });

  it('accept an unknown customer and missing keys, count nothing, and report them as thin events', async () => {
    const { send, stripe, emulator, total, meter, nowSec, customer } = await openWithMeter();
    const payload = { stripe_customer_id: 'cus_unknown', value: '3' };
    await stripe.billing.meterEvents.create(
      { event_name: 'calls', payload, identifier: 'e1' },
      { idempotencyKey: 'key-1' },
    );
    await send({ payload: { value: '1' } });
    await send({ payload: { stripe_customer_id: customer.id } });
    expect(await total()).toBe(0);
    expect(reportMeterErrors(emulator.account)).toBe(0);
    emulator.account.clock.advanceTo(nowSec + 10);
    expect(reportMeterErrors(emulator.account)).toBe(3);
    expect(reportMeterErrors(emulator.account)).toBe(0);
    const [event] = (await stripe.v2.core.events.list({ types: ['v1.billing.meter.error_report_triggered'] }))
      .data;
    expect(event).toMatchObject({
      object: 'v2.core.event',
      created: new Date((nowSec + 10) * 1000).toISOString(),
      related_object: { id: meter.id, type: 'billing.meter', url: `/v1/billing/meters/${meter.id}` },
      data: {
        developer_message_summary: 'There are 3 invalid events',
        reason: { error_count: 3 },
      },
    });
    if (event?.type !== 'v1.billing.meter.error_report_triggered') throw new Error('another type');
    const types = event.data.reason.error_types;
    expect(types.map(({ code }) => code)).toEqual([
      'meter_event_customer_not_found',
      'meter_event_no_customer_defined',
      'meter_event_invalid_value',
    ]);
    expect(types[0]?.sample_errors[0]?.request.identifier).toBe('key-1');
    expect(await stripe.v2.core.events.retrieve(event.id)).toMatchObject({ id: event.id, data: event.data });
  });

  it('do not count for a deleted customer', async () => {
    const { send, stripe, customer, emulator, nowSec } = await openWithMeter();
    await stripe.customers.del(customer.id);
    await send();
    emulator.account.clock.advanceTo(nowSec + 10);
    expect(reportMeterErrors(emulator.account)).toBe(1);
  });
});

describe('adjustments', () => {
  it('take an event back within 24 hours', async () => {
    const { send, stripe, total, emulator, nowSec } = await openWithMeter();
    await send({ identifier: 'e1' }, '5');
    await send({ identifier: 'e2' }, '2');
    const cancel = (identifier: string, eventName = 'calls') =>
      stripe.billing.meterEventAdjustments.create({
        event_name: eventName,
        type: 'cancel',
        cancel: { identifier },
      });
    expect(await cancel('e1')).toMatchObject({ status: 'pending', cancel: { identifier: 'e1' } });
    expect(await total()).toBe(2);
    expect((await refusal(cancel('e1'))).message).toContain('already been cancelled');
    expect((await refusal(cancel('e3'))).code).toBe('resource_missing');
    expect((await refusal(cancel('e2', 'other'))).code).toBe('resource_missing');
    emulator.account.clock.advanceTo(nowSec + 24 * 3600 + 1);
    expect((await refusal(cancel('e2'))).message).toContain('within 24 hours');
    expect(
      (await refusal(send({ identifier: 'e2' }).then(() => send({ identifier: 'e2' })))).message,
    ).toContain('e2');
  });
});

describe('v2 meter events', () => {
  it('are checked more strictly, with codes', async () => {
    const { stripe, customer, total, nowSec, meter } = await openWithMeter();
    const send = (change: Partial<Stripe.V2.Billing.MeterEventCreateParams> = {}) =>
      stripe.v2.billing.meterEvents.create({
        event_name: 'calls',
        payload: { stripe_customer_id: customer.id, value: '2' },
        ...change,
      });
    const timestamp = new Date((nowSec - 60) * 1000).toISOString();
    expect(await send({ identifier: 'e1', timestamp })).toMatchObject({
      object: 'v2.billing.meter_event',
      identifier: 'e1',
      timestamp,
    });
    expect(await total()).toBe(2);
    const codes = [
      [send({ identifier: 'e1' }), 'duplicate_meter_event'],
      [send({ event_name: 'other' }), 'no_meter'],
      [send({ payload: { value: '1' } }), 'payload_no_customer_defined'],
      [send({ payload: { stripe_customer_id: customer.id } }), 'payload_no_value_defined'],
      [send({ payload: { stripe_customer_id: customer.id, value: 'x' } }), 'payload_invalid_value'],
      [send({ timestamp: '2020-01-01T00:00:00Z' }), 'timestamp_too_far_in_past'],
      [send({ timestamp: '2030-01-01T00:00:00Z' }), 'timestamp_in_future'],
    ] as const;
    for (const [call, code] of codes) expect(await refusal(call)).toMatchObject({ statusCode: 400, code });
    await stripe.v2.billing.meterEventAdjustments.create({
      event_name: 'calls',
      type: 'cancel',
      cancel: { identifier: 'e1' },
    });
    expect(await total()).toBe(0);
    await stripe.billing.meters.deactivate(meter.id);
    expect((await refusal(send())).code).toBe('archived_meter');
  });

  it('stream in under a session token of 15 minutes, every mistake reported later', async () => {
    const { stripe, emulator, customer, total, nowSec } = await openWithMeter();
    const session = await stripe.v2.billing.meterEventSession.create();
    expect(Date.parse(session.expires_at)).toBe((nowSec + 900) * 1000);
    const stream = createTestStripe(emulator, session.authentication_token);
    const event = { event_name: 'calls', payload: { stripe_customer_id: customer.id, value: '1' } };
    await stream.v2.billing.meterEventStream.create({
      events: [
        { ...event, identifier: 'a' },
        { ...event, identifier: 'a' },
        { ...event, identifier: 'b' },
        { ...event, event_name: 'other', identifier: 'c' },
        { ...event, timestamp: '2020-01-01T00:00:00Z', identifier: 'd' },
      ],
    });
    expect(await total()).toBe(2);
    const many = Array.from({ length: 101 }, () => event);
    expect((await refusal(stream.v2.billing.meterEventStream.create({ events: many }))).message).toContain(
      '100',
    );
    expect((await refusal(stripe.v2.billing.meterEventStream.create({ events: [event] }))).statusCode).toBe(
      401,
    );
    emulator.account.clock.advanceTo(nowSec + 900);
    expect(await refusal(stream.v2.billing.meterEventStream.create({ events: [event] }))).toMatchObject({
      type: 'TemporarySessionExpiredError',
      code: 'billing_meter_event_session_expired',
    });
    expect(reportMeterErrors(emulator.account)).toBe(2);
    const types = (await stripe.v2.core.events.list()).data.map(({ type }) => type);
    expect(types).toContain('v1.billing.meter.no_meter_found');
    expect(types).toContain('v1.billing.meter.error_report_triggered');
  });
});

describe('event summaries', () => {
  it('group by hour and day, in pages', async () => {
    const { stripe, meter, customer, send, nowSec } = await openWithMeter();
    const hourSec = Math.floor(nowSec / 3600) * 3600;
    for (let hour = 1; hour <= 12; hour += 1) await send({ timestamp: hourSec - hour * 3600 }, String(hour));
    const query = { customer: customer.id, start_time: hourSec - 24 * 3600, end_time: hourSec };
    const first = await stripe.billing.meters.listEventSummaries(meter.id, {
      ...query,
      value_grouping_window: 'hour',
    });
    expect(first).toMatchObject({ has_more: true, url: `/v1/billing/meters/${meter.id}/event_summaries` });
    expect(first.data).toHaveLength(10);
    const all = await stripe.billing.meters
      .listEventSummaries(meter.id, { ...query, value_grouping_window: 'hour' })
      .autoPagingToArray({ limit: 100 });
    expect(all.map((row) => row.aggregated_value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(all[0]).toMatchObject({
      object: 'billing.meter_event_summary',
      meter: meter.id,
      start_time: hourSec - 3600,
    });
    const whole = await stripe.billing.meters.listEventSummaries(meter.id, query);
    expect(whole.data.map((row) => row.aggregated_value)).toEqual([78]);
  });

  it('refuse times off the edges', async () => {
    const { stripe, meter, customer, minuteSec } = await openWithMeter();
    const list = (change: Partial<Stripe.Billing.MeterListEventSummariesParams>) =>
      stripe.billing.meters.listEventSummaries(meter.id, {
        customer: customer.id,
        start_time: minuteSec - 60,
        end_time: minuteSec,
        ...change,
      });
    expect((await refusal(list({ start_time: minuteSec - 59 }))).param).toBe('start_time');
    expect((await refusal(list({ end_time: minuteSec + 1 }))).param).toBe('end_time');
    const hour = Math.floor(minuteSec / 3600) * 3600;
    const grouped = { value_grouping_window: 'day', start_time: hour + 3600, end_time: hour + 7200 } as const;
    expect((await refusal(list(grouped))).message).toContain('UTC day boundaries');
    expect((await refusal(list({ end_time: minuteSec - 60 }))).param).toBe('end_time');
    expect((await refusal(list({ customer: 'cus_x' }))).code).toBe('resource_missing');
  });

  it('lag behind when told to', async () => {
    const { emulator, send, total, nowSec } = await openWithMeter();
    emulator.account.faults.set({ summaryLagSec: 60 });
    await send();
    expect(await total()).toBe(0);
    emulator.account.clock.advanceTo(nowSec + 60);
    expect(await total()).toBe(1);
  });

  it('follow the formula of the meter', async () => {
    const { stripe, customer, nowSec, minuteSec } = await openWithMeter();
    const counted = async (formula: string, window?: 'hour') => {
      const meter = await stripe.billing.meters.create({
        display_name: formula,
        event_name: `${formula}${window ?? ''}`,
        default_aggregation: { formula },
        ...(window ? { event_time_window: window } : {}),
      });
      const hourSec = Math.floor(nowSec / 3600) * 3600;
      for (const [index, value] of ['5', '7', '3'].entries()) {
        await stripe.billing.meterEvents.create({
          event_name: meter.event_name,
          payload: { stripe_customer_id: customer.id, value },
          timestamp: hourSec - 7200 + index * 1800,
        });
      }
      const query = { customer: customer.id, start_time: minuteSec - 86_400, end_time: minuteSec };
      return (await stripe.billing.meters.listEventSummaries(meter.id, query)).data[0]?.aggregated_value;
    };
    expect(await counted('sum')).toBe(15);
    expect(await counted('count')).toBe(3);
    expect(await counted('last')).toBe(3);
    expect(await counted('sum', 'hour')).toBe(10);
  });
});
