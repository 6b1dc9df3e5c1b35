/** `meterctl keys scan`: finds keys in files and in the history of Git. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import { keyStatus } from '../../domain/key.js';
import { type Finding, type ScanResult, scanForKeys } from '../../keys/scan/scan.js';
import { countOf } from '../../terminal/money.js';
import { printable } from '../../terminal/printable.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { exitFound } from '../exit.js';
import * as parse from '../parse.js';
import { sarifOf } from '../sarif.js';

interface Options {
  history: boolean;
  sarif?: true;
  maxSize: number;
}

const megabyte = 1024 * 1024;

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[path]', 'a file or a folder', '.')
    .option('--no-history', 'look at the files as they are now, not at what Git remembers')
    .option('--max-size <megabytes>', 'leave larger files out', parse.wholeNumber(1, 1024), 10)
    .option('--sarif', 'print SARIF 2.1.0')
    .addHelpText('after', '\nExit code 0 when there is none, 3 when there is. Secrets are never printed.')
    .action(run(scan));
  addExamples(command, [
    ['meterctl keys scan', 'this folder and its history'],
    ['meterctl keys scan src --no-history --sarif > keys.sarif', 'for the code host to show'],
  ]);
}

async function scan(context: Context, path: string, options: Options): Promise<number> {
  const { settings, nowMs } = {
    settings: context.settings(),
    nowMs: (await context.machine()).clock.nowMs(),
  };
  const whole = resolve(context.folder, path);
  if (!existsSync(whole)) throw new MeterctlError('not_found', `There is no ${path}.`);
  // A build machine has no database; the checksum finds keys there too.
  const known = settings.catalogIds !== null && existsSync(settings.databasePath);
  const result = await scanForKeys(known ? await context.store() : undefined, {
    path: whole,
    from: context.folder,
    history: options.history,
    sizeMax: options.maxSize * megabyte,
  });
  if (options.sarif)
    context.terminal.stdout.stream.write(`${JSON.stringify(sarifOf(result.findings, nowMs))}\n`);
  else show(context, result, nowMs);
  if (!known) context.note('There is no database here, so it cannot be told which keys are yours.');
  return result.findings.length === 0 ? 0 : exitFound;
}

function show(context: Context, { findings, scanned, history }: ScanResult, nowMs: number): void {
  const { files, objects, skipped } = scanned;
  if (context.flags.json || findings.length > 0) {
    context.show({
      json: () => ({
        findings: findings.map((one) => findingJson(one, nowMs)),
        scanned: { ...scanned, history },
      }),
      text: () => findings.map((one) => findingText(context, one, nowMs)).join('\n'),
    });
  }
  const past = history ? ` and ${objects} versions and messages of the history` : '';
  const left = skipped === 0 ? '' : `; ${skipped} were too large or unreadable`;
  context.note(`Found ${countOf(findings.length, 'key')} in ${countOf(files, 'file')}${past}${left}.`);
}

function findingJson({ key, ...finding }: Finding, nowMs: number) {
  return {
    ...finding,
    owner: key ? 'own' : 'unknown',
    key: key && { id: key.id, customer: key.customerId, status: keyStatus(key, nowMs) },
  };
}

function findingText({ paint }: Context, { file, line, commit, hint, key }: Finding, nowMs: number): string {
  const place = `${printable(file ?? 'message')}:${line}`;
  const past = commit === null ? '' : paint.faint(` (commit ${commit.slice(0, 12)})`);
  const status = key && keyStatus(key, nowMs);
  const owner = key ? `${key.id} of ${key.customerId}, ${status}` : 'not issued here';
  return `${place}${past}  ${hint}  ${status === 'active' ? paint.bad(owner) : owner}`;
}
