/** What the program takes from the machine, as values that are handed in: tests hand in others. */

/** Time, in UTC milliseconds. The production clock cannot be set. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. May jump in both directions, as wall clocks do. */
  nowMs(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `task` once the I/O that is already waiting has been handled (setImmediate). */
  soon(task: () => void): void;
}

/** Randomness. */
export interface Random {
  /** `count` bytes fit for secrets. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1), for jitter. */
  next(): number;
}

/** Names for new things. */
export interface Ids {
  /** A unique id such as `key_01J…`; later ids of one process sort after earlier ones. */
  next(prefix: string): string;
  /** What sorts after every id that was made before the time, and not after any that was made later. */
  bound(prefix: string, atMs: number): string;
}

/** Processes of this machine, by names that nobody else on it has. */
export interface Processes {
  /** This one's. */
  readonly own: string;
  /** Whether that process has surely ended; of one on another machine, or in another container, nobody can be sure. */
  hasEnded(name: string): boolean;
}

/** Where the program writes what it does. Fields never hold a secret. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** Everything from outside that is not a file, a socket server or the terminal. */
export interface Host {
  clock: Clock;
  random: Random;
  ids: Ids;
  processes: Processes;
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  log: Log;
}
