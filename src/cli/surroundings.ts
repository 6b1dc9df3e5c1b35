/** What the command line takes from the process around it, as a value: tests hand in another. */

import type { Self } from '../bench/processes.js';
import type { Host, Log } from '../lib/host.js';
import type { Terminal } from '../terminal/terminal.js';

/** The process, as far as commands know it. */
export interface Surroundings {
  /** Without the program's own name. */
  argv: readonly string[];
  env: Record<string, string | undefined>;
  /** The user that the operating system runs the process for; `undefined` where it knows none by that number. */
  userName(): string | undefined;
  /** The working directory. */
  folder: string;
  terminal: Terminal;
  /** The program's version. */
  version: string;
  self: Self;
  /** Makes the machine; loaded only by commands that need it. */
  loadHost(log: (nowMs: () => number) => Log): Promise<Host>;
  /** Resolves at the first request to stop (SIGINT, SIGTERM); a second one ends the process at once. */
  untilStopped(): Promise<void>;
}
