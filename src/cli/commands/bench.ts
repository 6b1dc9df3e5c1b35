/** `meterctl bench`: measures this machine, all in one interleaved run. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type BenchReport, runBench } from '../../bench/bench.js';
import { openBenchServer } from '../../bench/serve.js';
import { MeterctlError } from '../../domain/error.js';
import { openProgress } from '../../terminal/progress.js';
import { benchJson, benchMarkdown, benchText } from '../bench-report.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';

interface Options {
  seconds: number;
  rounds: number;
  rows: number;
  markdown?: true;
  server?: string;
  value?: string;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--seconds <number>', 'length of one run under load', parse.seconds, 2)
    .option('--rounds <number>', 'how often all are measured in turn', parse.wholeNumber(1, 100), 5)
    .option(
      '--rows <number>',
      'rows of the ledger that reports are read from',
      parse.wholeNumber(1_000, 100_000_000),
      1_000_000,
    )
    .option('--markdown', 'print Markdown')
    // The servers are this program too, in processes of their own.
    .addOption(command.createOption('--server <name>').hideHelp())
    .addOption(command.createOption('--value <text>').hideHelp())
    .addHelpText('after', '\nLoad comes from wrk where it is installed, else from autocannon.')
    .action(run(bench));
  addExamples(command, [
    ['meterctl bench', 'some minutes; everything else that runs on the machine disturbs it'],
    ['meterctl bench --rounds 9 --rows 10000000', 'surer numbers, and reports from ten million rows'],
    ['meterctl bench --seconds 1 --rounds 1 --rows 10000', 'a look, in half a minute'],
  ]);
}

async function bench(context: Context, options: Options): Promise<undefined> {
  if (options.server !== undefined) return serve(context, options.server, options.value);
  const interrupted = new AbortController();
  void context.untilStopped().then(() => interrupted.abort());
  const folder = mkdtempSync(join(tmpdir(), 'meterctl-bench-'));
  try {
    const report = await measure(context, options, folder, interrupted.signal);
    context.show({
      json: () => benchJson(report, context.self),
      text: () => (options.markdown ? benchMarkdown(report, context.self) : benchText(context, report)),
    });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    throw new MeterctlError('interrupted', 'Interrupted; every process of the bench has ended.');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  context: Context,
  { seconds, rounds, rows }: Options,
  folder: string,
  signal: AbortSignal,
): Promise<BenchReport> {
  const { self, env, terminal, flags } = context;
  const screen = { ...terminal.stderr, isTty: terminal.stderr.isTty && !flags.quiet };
  return runBench(
    { seconds, rounds, rows },
    {
      ...{ folder, self, env, signal },
      host: await context.machine(),
      tell: context.note,
      openProgress: (noun, total) => openProgress(screen, noun, total),
    },
  );
}

/** One of the bench's servers. It ends with its stdin, so also when the bench is killed. */
async function serve(context: Context, name: string, value: string | undefined): Promise<undefined> {
  const server = await openBenchServer(name, {
    host: await context.machine('error'),
    value,
    settings: (upstream) => context.readySettings({ port: '0', ...(upstream !== undefined && { upstream }) }),
  });
  try {
    context.show({ json: () => ({ url: server.url }), text: () => server.url });
    const { stdin } = context.terminal;
    await new Promise((resolve) => {
      stdin.once('end', resolve);
      stdin.resume();
    });
  } finally {
    await server.close();
  }
}
