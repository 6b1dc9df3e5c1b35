/** Whether a caller is the operator. */

import { timingSafeEqual } from 'node:crypto';
import { hashSecret } from '../keys/secret.js';

/** Compares what was presented with METERCTL_ADMIN_TOKEN; nobody is the operator where there is none. */
export function isAdminToken(presented: string | undefined, adminToken: string | null): boolean {
  if (presented === undefined || adminToken === null) return false;
  // Hashes are of one length, and comparing them tells nothing of the token.
  return timingSafeEqual(hashSecret(presented), hashSecret(adminToken));
}
