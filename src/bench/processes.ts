/** This program and other programs as processes of their own; each ends with the bench, however that ends. */

import { execFile, spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { MeterctlError } from '../domain/error.js';
import type { Closable } from '../lib/closers.js';

const execute = promisify(execFile);

/** How this very program is started again. */
export interface Self {
  /** The path of the interpreter. */
  node: string;
  nodeVersion: string;
  /** The path of the script that it runs. */
  script: string;
}

/** A server in a process of its own. Closing kills it. */
export interface ServerProcess extends Closable {
  url: string;
  close(): Promise<void>;
}

/** Starts processes. */
export interface Processes {
  /** Runs a program to its end and returns what it wrote to stdout. Throws `unavailable` when it fails. */
  run(file: string, args: readonly string[], timeoutMs: number): Promise<string>;
  /** Runs a command of this program in a folder to its end and reads the JSON that it prints. */
  json<T>(folder: string, args: readonly string[]): Promise<T>;
  /** Starts one of the bench's servers in a folder, with more variables, and waits until it listens. */
  open(folder: string, args: readonly string[], more?: Record<string, string>): Promise<ServerProcess>;
}

/** No command of this program takes longer here. */
const commandMaxMs = 60_000;

/** What a process of this program must not inherit: settings of its own come from its folder alone. */
const ownVariables = /^(STRIPE|METERCTL)_/;

/** Makes processes that are killed when `signal` aborts. */
export function createProcesses(options: {
  self: Self;
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}): Processes {
  const { self, signal } = options;
  // Every process that runs listens to it.
  setMaxListeners(0, signal);
  const inherited = Object.entries(options.env).filter(([name]) => !ownVariables.test(name));
  const env = { ...Object.fromEntries(inherited), NODE_ENV: 'production', NO_COLOR: '1' };

  async function run(file: string, args: readonly string[], timeout: number, cwd?: string): Promise<string> {
    try {
      return (await execute(file, args, { env, signal, timeout, cwd })).stdout;
    } catch (cause) {
      throw new MeterctlError('unavailable', `${file} ${args.join(' ')} failed: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  return {
    run: (file, args, timeoutMs) => run(file, args, timeoutMs),
    async json<T>(folder: string, args: readonly string[]) {
      // What the command prints is known to whoever names it.
      return JSON.parse(await run(self.node, [self.script, ...args, '--json'], commandMaxMs, folder)) as T;
    },
    async open(folder, args, more) {
      const child = spawn(self.node, [self.script, 'bench', ...args, '--json'], {
        ...{ cwd: folder, env: { ...env, ...more }, signal },
        killSignal: 'SIGKILL',
        // A server ends with its stdin, so none outlives a bench that was killed itself.
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
      // Told by `closed` as well; without a listener an abort would end the bench without its clean-up.
      child.on('error', () => undefined);
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(-2_000);
      });
      const firstLine = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line));
      const line = await Promise.race([firstLine, closed.then(() => undefined)]);
      if (line === undefined) {
        throw new MeterctlError('internal', `The server ${args.join(' ')} ended before it listened: ${said}`);
      }
      return {
        // The first line of these servers is made by this very program.
        url: (JSON.parse(line) as { url: string }).url,
        async close() {
          child.kill('SIGKILL');
          await closed;
        },
      };
    },
  };
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { stderr = '' } = thrown as { stderr?: string };
  return stderr === '' ? thrown.message : stderr.trim();
}
