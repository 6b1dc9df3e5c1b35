/** Work that is given so long and no longer. */

import type { Clock } from '../lib/host.js';

/** So long is left where the program is being stopped meanwhile. */
const closingMs = 3_000;

/** Does the work, whose signal aborts when its time is over, or soon after `closing` does. */
export async function withTimeout<T>(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  closing?: AbortSignal,
): Promise<T> {
  const timeout = new AbortController();
  const settled = new AbortController();
  async function endAfter(ms: number, why: string): Promise<void> {
    await clock.sleep(ms, settled.signal);
    if (!settled.signal.aborted) timeout.abort(new Error(why));
  }
  const hurry = () => void endAfter(closingMs, 'this program was stopped meanwhile');
  void endAfter(limitMs, 'the receiver did not answer in time');
  if (closing?.aborted) hurry();
  closing?.addEventListener('abort', hurry, { signal: settled.signal });
  try {
    return await work(timeout.signal);
  } finally {
    settled.abort();
  }
}
