/** Records a batch of usage: rows of the ledger and the deliveries that cover them, in a transaction of the caller's. */

import assert from 'node:assert';
import type { CallProgress } from '../domain/open-call.js';
import type { RecordedUsage } from '../domain/usage.js';
import type { Ids } from '../lib/host.js';
import type { Database } from './open.js';
import type { OpenCallRows, Unchanged } from './open-calls.js';
import type { OtherUsage } from './other-usage.js';
import type { PeriodUnits } from './period-units.js';
import type { BeginRoomCheck, RoomCheck } from './room.js';
import {
  addToBatch,
  type Batch,
  createBatch,
  type Entry,
  type EntryGroups,
  type Group,
  periodInBatch,
} from './usage-batch.js';
import { createRepeats } from './usage-repeats.js';
import type { RowWriter, UsageRow } from './usage-rows.js';

/** Most calls belong to a delivery that is open already, which is looked for first. */
const findDeliverySql = `
SELECT no FROM deliveries
WHERE customer_no = ? AND meter_no = ? AND window_start_ms = ? AND window_end_ms = ? AND period_start_ms = ?
  AND state = 'open'`;

/** Its units are those of its rows, which are folded into it. */
const openDeliverySql = `
INSERT INTO deliveries (
  customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms, id, timestamp_ms, next_attempt_at_ms, units, state
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 'open')
RETURNING no`;

const noRoom: Unchanged = { id: 0, recorded: 'no_room', units: 0 };

/** Records entries inside a transaction of the caller; one result an entry, in order. */
export function createRecorder({
  database,
  ids,
  openCalls,
  insertRows,
  others,
  periods,
  beginRoomCheck,
}: {
  database: Database;
  ids: Ids;
  openCalls: OpenCallRows;
  insertRows: RowWriter;
  others: Pick<OtherUsage, 'revision'>;
  periods: PeriodUnits;
  beginRoomCheck: BeginRoomCheck;
}): (entries: readonly Entry[], nowMs: number) => RecordedUsage[] {
  const repeats = createRepeats(database.connection);
  const storeDeliveries = createDeliveryWriter(database, ids);

  function noteRow({ usage }: Entry, period: Group, id: number, nowMs: number): RecordedUsage {
    const { units } = usage;
    period.stored += units;
    // Of what no sum can hold nothing could be folded in any more, whoever used it.
    assert(Number.isSafeInteger(period.stored), 'a period has units that can be added up');
    const recorded: RecordedUsage = { id, recorded: 'new', units, periodUnits: period.stored };
    repeats.note(recorded, usage, nowMs);
    return recorded;
  }

  /** The entry as it fits into its limits: with less units where its call is over, `undefined` where there is no room. */
  function fitted(entry: Entry, room: RoomCheck, nowMs: number): Entry | undefined {
    const { usage } = entry;
    const { call, units } = usage;
    if (call?.step === 'over') {
      const holding = openCalls.findHolding(call.id);
      return holding ? { ...entry, usage: { ...usage, units: room.takeUpTo(usage, units, holding) } } : entry;
    }
    if (repeats.isRepeat(usage, nowMs)) return entry;
    return room.takeAll(usage, Math.max(units, call?.heldUnits ?? 0)) ? entry : undefined;
  }

  /** What `steps` leave undefined goes into the ledger. */
  function recordAll(entries: readonly Entry[], steps: readonly (Unchanged | undefined)[], nowMs: number) {
    const repeated = repeats.find(entries, (index) => steps[index] === undefined, nowMs);
    const batch = createBatch();
    const groups = entries.map((entry, index) =>
      steps[index] || repeated.has(index) ? undefined : addToBatch(batch, entry),
    );
    storeDeliveries(batch);
    for (const period of batch.periods) period.stored = periods.find(period.first);
    const rows: UsageRow[] = [];
    entries.forEach((entry, index) => {
      const group = groups[index];
      if (group) rows.push(rowOf(entry, group));
    });
    let id = insertRows(rows) - 1;
    const recorded = entries.map((entry, index): RecordedUsage => {
      const [group, step] = [groups[index], steps[index]];
      if (group) return noteRow(entry, group.period, ++id, nowMs);
      const unchanged = step ?? { ...repeats.firstOf(entry.usage, nowMs), recorded: 'repeat' };
      return { ...unchanged, periodUnits: periodInBatch(batch, entry)?.stored ?? periods.find(entry) };
    });
    if (rows.length > 0) periods.note(batch.periods, id);
    return recorded;
  }

  return (entries, nowMs) => {
    const revision = others.revision();
    periods.begin(revision);
    const room = beginRoomCheck(entries, revision);
    if (!room) return recordAll(entries, entries.map(openCalls.step), nowMs);
    const fitting = entries.map((entry) => fitted(entry, room, nowMs));
    const steps = fitting.map((entry) => (entry ? openCalls.step(entry) : noRoom));
    const asTheyFit = entries.map((entry, index) => fitting[index] ?? entry);
    return recordAll(asTheyFit, steps, nowMs);
  };
}

/** Notes how far calls have come, inside a transaction of the caller; tells what each owes. */
export function createProgressRecorder({
  openCalls,
  others,
  beginRoomCheck,
}: {
  openCalls: OpenCallRows;
  others: Pick<OtherUsage, 'revision'>;
  beginRoomCheck: BeginRoomCheck;
}): (calls: readonly CallProgress[]) => number[] {
  return (calls) => {
    const asking = calls.map((usage) => ({ usage }));
    const room = beginRoomCheck(asking, others.revision());
    return calls.map((call) => {
      const wanted = Math.max(call.units, call.heldUnits);
      const holding = room && openCalls.findHolding(call.id);
      const heldUnits = holding ? room.takeUpTo(call, wanted, holding) : wanted;
      const units = Math.min(call.units, heldUnits);
      openCalls.progress({ ...call, units, heldUnits });
      return units;
    });
  };
}

/** The row of an entry that was added to the batch. */
function rowOf({ usage, routeNo }: Entry, { delivery }: EntryGroups): UsageRow {
  const { customerNo, keyNo, atMs, units } = usage;
  return [delivery.stored, customerNo, keyNo, routeNo, atMs, units];
}

/** What tells an open delivery. */
type DeliveryKey = [
  customerNo: number,
  meterNo: number,
  startMs: number,
  endMs: number,
  periodStartMs: number,
];

/** Finds or opens a batch's deliveries, and notes their numbers in their groups. */
function createDeliveryWriter({ connection }: Database, ids: Ids): (batch: Batch) => void {
  const findDelivery = connection.prepare<DeliveryKey, number>(findDeliverySql).pluck();
  const openDelivery = connection
    .prepare<[...DeliveryKey, id: string, timestampMs: number, nextAttemptAtMs: number], number>(
      openDeliverySql,
    )
    .pluck();

  return ({ deliveries }) => {
    for (const group of deliveries) {
      const { usage, meterNo } = group.first;
      const { customerNo, window, periodStartMs, atMs } = usage;
      const key: DeliveryKey = [customerNo, meterNo, window.startMs, window.endMs, periodStartMs];
      const no = findDelivery.get(...key) ?? openDelivery.get(...key, ids.next('dlv'), atMs, window.endMs);
      assert(no !== undefined);
      group.stored = no;
    }
  };
}
