/** A token bucket: so many a second on average, with a burst of at most one second's worth. */

import type { Clock } from './host.js';

/** Spends tokens over time. */
export interface TokenBucket {
  /** Takes one token, waiting for it if need be. Resolves early, without a token, when `signal` aborts. */
  take(signal: AbortSignal): Promise<void>;
}

/** A bucket that starts with one second's worth. */
export function createTokenBucket(clock: Clock, ratePerSecond: number): TokenBucket {
  let tokens = ratePerSecond;
  let filledAtMs = clock.nowMs();
  return {
    async take(signal) {
      while (!signal.aborted) {
        const nowMs = clock.nowMs();
        // A clock that was set back fills nothing, and must not drain anything either.
        tokens = Math.min(ratePerSecond, tokens + (Math.max(0, nowMs - filledAtMs) * ratePerSecond) / 1000);
        filledAtMs = nowMs;
        if (tokens >= 1) {
          tokens -= 1;
          return;
        }
        await clock.sleep(Math.ceil(((1 - tokens) * 1000) / ratePerSecond), signal);
      }
    },
  };
}
