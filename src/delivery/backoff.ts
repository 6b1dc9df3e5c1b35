/** When to try again. */

const firstMs = 1_000;
const ceilingMs = 5 * 60_000;

/**
 * Exponential with jitter over the upper half: between half and the whole of 1 s, 2 s, 4 s … 5 min. A server's
 * `Retry-After` is a floor, also with jitter on top, so that clients told the same moment do not come back in one wave.
 */
export function backoffMs(attempts: number, retryAfterMs: number | null, random: number): number {
  const wholeMs = Math.min(ceilingMs, firstMs * 2 ** Math.min(attempts - 1, 20));
  const jitteredMs = wholeMs / 2 + (random * wholeMs) / 2;
  return Math.round(
    retryAfterMs === null ? jitteredMs : Math.max(jitteredMs, retryAfterMs * (1 + random / 10)),
  );
}
