/** Reads the fields of a row with the rules of the command line's options; what is wrong is said with its line. */

import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { nearest } from '../config/spelling.js';
import { MeterctlError } from '../domain/error.js';
import { type Row, readRows } from '../terminal/rows.js';
import { parseTime } from '../terminal/time.js';
import type { Context } from './context.js';
import * as parse from './parse.js';

/** The fields of one row. All that reads throws `invalid`. */
export interface RowFields {
  /** The text of a field, read by a rule; `undefined` when it is empty. */
  read<T>(name: string, rule: (text: string) => T): T | undefined;
  require<T>(name: string, rule: (text: string) => T): T;
  /** A list, or text with commas or blanks between its entries. */
  list(name: string, rule: (text: string) => string[]): string[] | undefined;
  /** Milliseconds. */
  time(name: string): number | undefined;
  flag(name: string): boolean | undefined;
  /** An object, or the JSON text of one, and every column `metadata.…`. */
  metadata(): Record<string, string>;
}

/** The rows of a file, or of stdin, which `-` means; of CSV the header line must be of known fields. Throws `not_found` and `invalid`. */
export function openRows(context: Context, path: string, known: readonly string[]): AsyncGenerator<Row> {
  const { stdin } = context.terminal;
  const checkHeader = (names: readonly string[]) => {
    requireKnown(names, known, 1);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw wrongLine(1, `the field ${twice} stands there twice.`);
  };
  if (path !== '-') {
    const file = resolve(context.folder, path);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) throw new MeterctlError('not_found', `There is no file ${path}.`);
    if (found.isDirectory()) throw new MeterctlError('invalid', `${path} is a folder. Name a file in it.`);
    return readRows(createReadStream(file), checkHeader);
  }
  if (!context.terminal.interactive) {
    return readRows(stdin as AsyncIterable<Uint8Array>, checkHeader);
  }
  throw new MeterctlError('invalid', 'Rows are to come on stdin, but it is the keyboard.', {
    hint: 'Pipe them in, or name a file.',
  });
}

/** The fields; one that is not among `known` is an error with its likely spelling. */
export function fieldsOf({ line, fields }: Row, known: readonly string[]): RowFields {
  const error = (message: string) => wrongLine(line, message);
  requireKnown(Object.keys(fields), known, line);

  /** Says of which field it is that a rule complains. */
  function guarded<T>(name: string, work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof InvalidArgumentError || thrown instanceof MeterctlError)) throw thrown;
      throw error(`${name}: ${thrown.message}`);
    }
  }

  function read<T>(name: string, rule: (text: string) => T): T | undefined {
    const text = textOf(name, fields[name]);
    return text === undefined || text === '' ? undefined : guarded(name, () => rule(text));
  }

  function textOf(name: string, value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return value.trim();
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw error(`${name}: It must be a text.`);
  }

  return {
    read,
    require(name, rule) {
      const value = read(name, rule);
      if (value === undefined) throw error(`${name} is missing.`);
      return value;
    },
    list(name, rule) {
      const value = fields[name];
      const text = Array.isArray(value)
        ? value.map((entry) => textOf(name, entry)).join(',')
        : textOf(name, value)
            ?.split(/[\s,]+/)
            .join(',');
      return text ? guarded(name, () => rule(text)) : undefined;
    },
    time: (name) => read(name, requireTime),
    flag: (name) => read(name, requireFlag),
    metadata() {
      const columns = Object.entries(fields)
        .filter(([name]) => name.startsWith('metadata.'))
        .map(([name, value]) => [name.slice('metadata.'.length), value] as const);
      const entries = [...Object.entries(guarded('metadata', () => objectOf(fields.metadata))), ...columns]
        // As it stands: whoever has set it may have meant its blanks.
        .map(
          ([key, value]) =>
            [key, typeof value === 'string' ? value : (textOf(`metadata.${key}`, value) ?? '')] as const,
        )
        .filter(([, text]) => text !== '');
      for (const [key, text] of entries) guarded('metadata', () => parse.metadata(`${key}=${text}`));
      return Object.fromEntries(entries);
    },
  };
}

function wrongLine(line: number, message: string): MeterctlError {
  return new MeterctlError('invalid', `Line ${line}: ${message}`);
}

function requireKnown(names: readonly string[], known: readonly string[], line: number): void {
  const strange = names.find((name) => !known.includes(name) && !/^metadata\./.test(name));
  if (strange !== undefined) throw wrongLine(line, unknownField(strange, known));
}

function unknownField(name: string, known: readonly string[]): string {
  const likely = nearest(name, known);
  return `there is no field ${name}. ${likely ? `Did you mean ${likely}?` : `Known: ${known.join(', ')}.`}`;
}

function objectOf(value: unknown): object {
  if (value === undefined || value === null || value === '') return {};
  const parsed: unknown = typeof value === 'string' ? parseJson(value) : value;
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new InvalidArgumentError('It must be a JSON object.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireTime(text: string): number {
  const atMs = parseTime(text);
  if (atMs === undefined) throw new InvalidArgumentError('It must be a time such as 2026-11-01T00:00:00Z.');
  return atMs;
}

function requireFlag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('It must be true or false.');
}
