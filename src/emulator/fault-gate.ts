/** The faults that strike before a request is read: outages, resets, a load balancer's page, rate limits. */

import type { Host } from '../lib/host.js';
import type { Account } from './account.js';
import { tooMany } from './call.js';

/** What happens to a request at the door. */
export type Verdict = 'pass' | 'reset' | 'bad_gateway' | ReturnType<typeof tooMany>;

/** Draws what happens. Rates of zero draw nothing, so that a seed replays whichever faults are on. */
export function meetFaults(account: Account, host: Host): Verdict {
  const faults = account.faults.get();
  const strikes = (rate: number) => rate > 0 && host.random.next() < rate;
  if (host.clock.nowMs() < faults.outageUntilMs || strikes(faults.resetBefore)) return 'reset';
  if (strikes(faults.badGateway)) return 'bad_gateway';
  if (strikes(faults.rateLimited) || !account.faults.admit(host.clock.nowMs()))
    return tooMany(faults, 'global-rate');
  return 'pass';
}

/** What a load balancer says when nothing behind it answers. */
export const badGatewayPage =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n';
