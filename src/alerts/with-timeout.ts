/** Work that is given so long and no longer. */

import type { Clock } from '../lib/host.js';

/** Does the work, whose signal aborts when its time is over. */
export async function withTimeout<T>(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const settled = new AbortController();
  void clock.sleep(limitMs, settled.signal).then(() => {
    if (!settled.signal.aborted) timeout.abort(new Error('the receiver did not answer in time'));
  });
  try {
    return await work(timeout.signal);
  } finally {
    settled.abort();
  }
}
