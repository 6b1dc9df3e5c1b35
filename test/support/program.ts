/** Runs the real program as a person would: `bin/meterctl.js` in a folder of its own, as a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/meterctl.js', import.meta.url));

/** How a run ended. */
export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder to run the program in. */
export interface Program {
  folder: string;
  /** Runs to the end. */
  run(args: string[], options?: RunOptions): Promise<Run>;
  /** Runs with `--json` and reads what it prints. Throws with all output when it fails. */
  json<T>(args: string[], options?: RunOptions): Promise<T>;
  /** Starts `serve` and waits until it listens. It is killed when the test has finished. */
  serve(args?: string[], options?: RunOptions): Promise<Daemon>;
}

/** What a run gets beside its arguments. */
export interface RunOptions {
  env?: Record<string, string>;
  stdin?: string;
}

/** A running daemon. */
export interface Daemon {
  url: string;
  process: ChildProcess;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  stderr(): string;
}

/** The program in a folder. Nothing of the surrounding environment but the path reaches it. */
export function createProgram(folder: string): Program {
  function start(args: string[], { env = {}, stdin }: RunOptions): ChildProcess {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin?.end(stdin ?? '');
    return child;
  }

  async function run(args: string[], options: RunOptions = {}): Promise<Run> {
    const child = start(args, options);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  return {
    folder,
    run,
    async json<T>(args: string[], options?: RunOptions) {
      const { code, stdout, stderr } = await run([...args, '--json'], options);
      if (code !== 0) throw new Error(`meterctl ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
      return JSON.parse(stdout) as T;
    },
    async serve(args = [], options = {}) {
      const child = start(['serve', '--port', '0', '--json', ...args], options);
      onTestFinished(() => void child.kill('SIGKILL'));
      const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
      const closed = once(child, 'close');
      while (!stdout().includes('\n')) {
        const ended = await Promise.race([
          once(child.stdout!, 'data').then(() => false),
          closed.then(() => true),
        ]);
        if (ended) throw new Error(`serve ended with ${child.exitCode}\n${stdout()}\n${stderr()}`);
      }
      const { url } = JSON.parse(stdout().split('\n')[0]!) as { url: string };
      return {
        url,
        process: child,
        stderr,
        async stop(signal = 'SIGTERM') {
          child.kill(signal);
          await closed;
          return child.exitCode;
        },
      };
    },
  };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
