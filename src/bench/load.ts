/** Load on a server: so many connections, each with one request after the other, for so many seconds. */

import { MeterctlError } from '../domain/error.js';
import type { Processes } from './processes.js';

/** One run. */
export interface Load {
  url: string;
  /** The API key, which every server gets, also those that do not look at it. */
  key: string;
  connections: number;
  seconds: number;
}

/** What came of a run. */
export interface LoadResult {
  requestsPerSecond: number;
  p99Ms: number;
  /** Whole answers below 300. */
  answered: number;
  /** Other answers, broken connections and timeouts. */
  failed: number;
}

/** A program or library that makes load. */
export interface LoadGenerator {
  name: string;
  run(load: Load): Promise<LoadResult>;
}

/** Takes wrk where it is installed, else autocannon. wrk counts whole seconds. Throws `unavailable` without either. */
export async function chooseLoadGenerator(
  seconds: number,
  processes: Processes,
  signal: AbortSignal,
): Promise<LoadGenerator> {
  const { createWrk, hasWrk } = await import('./wrk.js');
  if (Number.isInteger(seconds) && (await hasWrk(processes))) return createWrk(processes);
  try {
    const { createAutocannon } = await import('./autocannon.js');
    return createAutocannon(signal);
  } catch (cause) {
    throw new MeterctlError('unavailable', 'There is nothing to make load with.', {
      hint: 'Install wrk, or the optional package: npm install autocannon',
      cause,
    });
  }
}
