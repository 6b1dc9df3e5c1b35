/** How much was used, grouped the way a person asks. */

import type { UsageStore } from '../domain/store.js';
import type { UsageFilter, UsageGrouping, UsageSum, UsageTotals } from '../domain/usage.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** One row: it carries only the fields it is grouped by. */
export interface UsageReportRow {
  bucket?: string;
  customer?: string;
  key?: string | null;
  route?: string;
  units: number;
  requests: number;
}

/** The report as scripts read it. */
export interface UsageReport {
  from: string;
  to: string;
  by: UsageGrouping;
  data: UsageReportRow[];
  total: UsageTotals;
}

/** Reads the report. */
export async function usageReport(
  deps: { store: UsageStore },
  query: UsageFilter & { by: UsageGrouping },
): Promise<UsageReport> {
  const [rows, total] = await Promise.all([
    deps.store.listUsage(query, query.by),
    deps.store.sumUsage(query),
  ]);
  return { from: rfc3339(query.fromMs), to: rfc3339(query.toMs), by: query.by, data: rows.map(rowOf), total };
}

function rowOf(sum: UsageSum): UsageReportRow {
  return {
    ...(sum.bucketMs === undefined ? {} : { bucket: rfc3339(sum.bucketMs) }),
    ...(sum.customerId === undefined ? {} : { customer: sum.customerId }),
    ...(sum.keyId === undefined ? {} : { key: sum.keyId }),
    ...(sum.route === undefined ? {} : { route: sum.route }),
    units: sum.units,
    requests: sum.requests,
  };
}
