/** Creating what may have come into being meanwhile. */

import { MeterctlError } from '../domain/error.js';
import type { Clock } from '../lib/host.js';

/** Stripe's lists lag a little behind (stripe-facts 2), so what was just refused as existing is looked for a few times. */
const looksMax = 5;
const lookPauseMs = 1_000;

/**
 * Keeps what was found, or creates it. When Stripe refuses to create it, somebody else was faster, or a list lagged behind:
 * then what is there is taken, and the caller checks that it is what was wanted.
 */
export async function createOrFind<T>(
  clock: Clock,
  found: T | undefined,
  { create, find }: { create(): Promise<T>; find(): Promise<T | undefined> },
): Promise<{ value: T; action: 'create' | 'keep' }> {
  if (found !== undefined) return { value: found, action: 'keep' };
  try {
    return { value: await create(), action: 'create' };
  } catch (error) {
    const refused = error instanceof MeterctlError && (error.code === 'invalid' || error.code === 'conflict');
    for (let looks = 0; refused && looks < looksMax; looks += 1) {
      if (looks > 0) await clock.sleep(lookPauseMs);
      const value = await find();
      if (value !== undefined) return { value, action: 'keep' };
    }
    throw error;
  }
}
