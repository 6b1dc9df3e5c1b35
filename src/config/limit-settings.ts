/** The limits of everybody, as meterctl.json says them. */

import { type Limits, parseQuota, parseRate } from '../domain/limit.js';
import { wholeMinorFromMajor } from '../domain/money.js';
import type { ConfigFile } from './schema.js';

/** The section in the domain's terms. Nobody can be capped in money before `init` has said in which. */
export function limitsOf(file: ConfigFile | undefined): Limits {
  const { rate, quota, maxInFlight, spendCap, prepaidUnits } = file?.limits ?? {};
  const currency = file?.price?.currency;
  return {
    rate: rate === undefined ? undefined : parseRate(rate),
    quota: quota === undefined ? undefined : parseQuota(quota),
    maxInFlight,
    spendCapMinor:
      spendCap === undefined || currency === undefined ? undefined : wholeMinorFromMajor(spendCap, currency),
    prepaid: prepaidUnits === undefined ? undefined : { units: prepaidUnits, sinceMs: 0 },
  };
}
