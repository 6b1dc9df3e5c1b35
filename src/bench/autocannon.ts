/** autocannon as load generator, in this process; the one home of autocannon. */

import autocannon from 'autocannon';
import type { LoadGenerator } from './load.js';

/** How often it looks whether the time is over. */
const sampleMs = 50;

/** Runs end when `signal` aborts. */
export function createAutocannon(signal: AbortSignal): LoadGenerator {
  return {
    name: 'autocannon',
    async run({ url, key, connections, seconds }) {
      const headers = { authorization: `Bearer ${key}` };
      const options = { url, connections, duration: seconds, sampleInt: sampleMs, headers };
      const { requests, duration, latency, errors, timeouts, non2xx, ...counts } = await shoot(
        options,
        signal,
      );
      return {
        requestsPerSecond: requests.total / duration,
        p99Ms: latency.p99,
        answered: counts['2xx'],
        failed: errors + timeouts + non2xx,
      };
    },
  };
}

function shoot(options: autocannon.Options, signal: AbortSignal): Promise<autocannon.Result> {
  return new Promise((resolve, reject) => {
    const instance = autocannon(options, (error, result) => {
      signal.removeEventListener('abort', stop);
      if (error) reject(error);
      else resolve(result);
    });
    const stop = () => instance.stop();
    signal.addEventListener('abort', stop);
  });
}
