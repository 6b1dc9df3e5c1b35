/** Rows as CSV (RFC 4180); the one home of csv-stringify. */

import { stringify } from 'csv-stringify/sync';

/** Writes a header line and the rows; a field that a row does not have is empty. */
export function csvText(columns: readonly string[], rows: readonly object[]): string {
  return stringify([...rows], { header: true, columns: [...columns] });
}
