/** wrk (https://github.com/wg/wrk) as load generator; it tells its results as text. */

import { MeterctlError } from '../domain/error.js';
import type { LoadGenerator, LoadResult } from './load.js';
import type { Processes } from './processes.js';

/** wrk waits for answers at its end; beyond this it is stuck. */
const graceMs = 30_000;

const unitMs: Record<string, number> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** Whether wrk is on the path. */
export async function hasWrk(processes: Processes): Promise<boolean> {
  try {
    await processes.run('sh', ['-c', 'command -v wrk'], graceMs);
    return true;
  } catch {
    return false;
  }
}

/** One thread: it shares the machine with the server. */
export function createWrk(processes: Processes): LoadGenerator {
  return {
    name: 'wrk, 1 thread',
    async run({ url, key, connections, seconds }) {
      const header = `Authorization: Bearer ${key}`;
      const connected = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', `${graceMs / 1_000}s`];
      const args = [...connected, '--latency', '-H', header, url];
      return readResult(await processes.run('wrk', args, seconds * 1_000 + graceMs));
    },
  };
}

/** Reads what wrk prints. Throws `internal` when that is not as expected. */
export function readResult(text: string): LoadResult {
  const requests = /(\d+) requests in/.exec(text);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text);
  const p99 = /99%\s+([\d.]+)(us|ms|s|m)\b/.exec(text);
  if (!requests || !rate || !p99) throw new MeterctlError('internal', `wrk says something new: ${text}`);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const broken =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    requestsPerSecond: Number(rate[1]),
    p99Ms: Number(p99[1]) * (unitMs[p99[2] ?? ''] ?? Number.NaN),
    answered: Number(requests[1]) - refused,
    failed: broken.reduce((sum, count) => sum + Number(count), refused),
  };
}
