/** The .env file: read for its values, and the one place on disk where secrets are put. */

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { readTextFile, replaceTextFile } from './text-file.js';

/** Its name in the working directory. */
export const dotenvFileName = '.env';

/** The values of the .env file in `folder`; none when there is no such file. Throws `unavailable`. */
export function readDotenv(folder: string): Record<string, string | undefined> {
  return parseEnv(readTextFile(join(folder, dotenvFileName)) ?? '');
}

/**
 * Adds values to a comma-separated variable in the .env file of `folder`, keeping every other line as it is, and makes
 * the file readable for its owner alone. Returns whether anything was added. Throws `unavailable`.
 */
export function addToDotenvList(folder: string, name: string, values: readonly string[]): boolean {
  const path = join(folder, dotenvFileName);
  const text = readTextFile(path) ?? '';
  const present = (parseEnv(text)[name] ?? '').split(',').filter((value) => value !== '');
  const added = values.filter((value) => !present.includes(value));
  if (added.length === 0) return false;
  const line = `${name}=${[...present, ...added].join(',')}`;
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  // Of several assignments the last one counts.
  const index = lines.findLastIndex((other) => new RegExp(`^\\s*(export\\s+)?${name}\\s*=`).test(other));
  if (index === -1) lines.push(line);
  else lines[index] = line;
  replaceTextFile(path, `${lines.join('\n')}\n`, 0o600);
  return true;
}

/**
 * Makes git ignore the entries, when `folder` lies in a git repository. Returns what was added to .gitignore.
 * Throws `unavailable`.
 */
export function ignoreInGit(folder: string, entries: readonly string[]): string[] {
  if (!inRepository(folder)) return [];
  const path = join(folder, '.gitignore');
  const text = readTextFile(path) ?? '';
  const present = new Set(text.split('\n').map((line) => line.trim().replace(/^\//, '')));
  const added = entries.filter((entry) => !present.has(entry));
  if (added.length === 0) return [];
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  replaceTextFile(path, `${ended}${added.join('\n')}\n`, 0o644);
  return added;
}

function inRepository(folder: string): boolean {
  if (existsSync(join(folder, '.git'))) return true;
  const parent = dirname(resolve(folder));
  return parent !== resolve(folder) && inRepository(parent);
}
