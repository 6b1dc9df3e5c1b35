/** Counts the units that limits are about, in SQLite: of the ledger and of calls that run, at one moment. */

import type { UsageCount, UsageCounts, WindowSum } from '../domain/usage-counts.js';
import type { Names } from './names.js';
import type { Database } from './open.js';
import type { OpenCallRows } from './open-calls.js';
import type { OtherUsage } from './other-usage.js';
import { createWindowUnits } from './window-units.js';

const findPeriodSql = `
SELECT COALESCE(sum(units), 0) FROM usage_periods WHERE customer_no = ? AND meter_no = ? AND period_start_ms = ?`;

/** The ledger's part of a count, inside a transaction of the caller's. */
export type LedgerUnits = (count: UsageCount, known: WindowSum | undefined) => WindowSum;

/** Prepares the statements. */
export function createUnitCounts(
  { connection, read }: Database,
  { meters, openCalls, others }: { meters: Names; openCalls: OpenCallRows; others: OtherUsage },
): { ledgerUnits: LedgerUnits; contract: Pick<UsageCounts, 'findPeriodUnits' | 'countUnits'> } {
  const findPeriod = connection.prepare<[number, number, number], number>(findPeriodSql).pluck();
  const windowUnits = createWindowUnits(connection);

  function periodUnits(customerNo: number, meter: string, periodStartMs: number): number {
    const meterNo = meters.find(meter);
    return (meterNo !== undefined && findPeriod.get(customerNo, meterNo, periodStartMs)) || 0;
  }

  const ledgerUnits: LedgerUnits = ({ whose, window, ofPeriod }, known) =>
    ofPeriod === undefined
      ? windowUnits(whose, window, known)
      : { units: periodUnits(whose.no, ofPeriod, window.startMs), rows: 0, lastUsageId: 0 };

  return {
    ledgerUnits,
    contract: {
      async findPeriodUnits(...period) {
        return read(() => periodUnits(...period));
      },
      async countUnits(count, known) {
        return read(() => ({
          sum: ledgerUnits(count, known),
          others: openCalls.sums(count).others,
          asOf: others.revision(),
        }));
      },
    },
  };
}
