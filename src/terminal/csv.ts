/** Rows as CSV (RFC 4180); the one home of csv-stringify. */

import { stringify } from 'csv-stringify/sync';

/** Writes a header line, unless it is not wanted, and the rows; a field that a row does not have is empty. */
export function csvText(
  columns: readonly string[],
  rows: readonly object[],
  { header = true }: { header?: boolean } = {},
): string {
  return stringify([...rows], { header, columns: [...columns] });
}
