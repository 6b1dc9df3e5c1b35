/** Who carries calls out: the name under which a process writes its rows, so that others can tell when it has crashed. */

import type { Ids, Processes } from '../lib/host.js';

/** One who has rows of calls that run, or ran when it crashed. */
export interface SeenRunner {
  runner: string;
  /** When it last said that it runs, by its own clock. */
  seenAtMs: number;
}

/** A name that nothing else has, also of what the same process opens; it tells the process. */
export function nameRunner(ids: Ids, processes: Processes): string {
  return `${ids.next('run')} ${processes.own}`;
}

/** The process that has the name, as `Processes` know it. Earlier versions named none: what is returned then is nobody's. */
export function processOf(runner: string): string {
  return runner.slice(runner.indexOf(' ') + 1);
}
