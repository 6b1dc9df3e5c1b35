/** Rows from a file or a pipe: CSV with a header line, or one JSON object a line; the one home of csv-parse. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { MeterctlError } from '../domain/error.js';

/** One row. */
export interface Row {
  /** Where it ends in its file, from 1 on. */
  line: number;
  /** By column; of CSV always text. */
  fields: Record<string, unknown>;
}

/** Nobody needs a longer row. */
const rowLengthMax = 64 * 1024;

/** Is told the names in the header line of CSV, which may be all that there is. */
type CheckHeader = (names: readonly string[]) => void;

/** Reads rows as they come. What begins with a brace is JSON, all else CSV. Throws `invalid` with the line. */
export async function* readRows(
  input: AsyncIterable<Uint8Array | string>,
  checkHeader: CheckHeader,
): AsyncGenerator<Row> {
  const texts = decode(input);
  let start = '';
  for (;;) {
    const { value, done } = await texts.next();
    start = (start + (value ?? '')).trimStart();
    if (done || start !== '') break;
  }
  if (start.startsWith('[')) {
    throw new MeterctlError('invalid', 'This is one JSON array, not one object a line.', {
      hint: "Take it apart: jq -c '.[]' prints one object a line.",
    });
  }
  yield* start.startsWith('{') ? readJsonLines(rest(start, texts)) : readCsv(rest(start, texts), checkHeader);
}

async function* decode(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of input) {
    yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  }
}

async function* rest(start: string, texts: AsyncIterable<string>): AsyncGenerator<string> {
  yield start;
  yield* texts;
}

async function* readJsonLines(texts: AsyncIterable<string>): AsyncGenerator<Row> {
  let line = 0;
  for await (const text of linesOf(texts)) {
    line += 1;
    if (text.trim() === '') continue;
    yield { line, fields: parseObject(text, line) };
  }
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let left = '';
  for await (const text of texts) {
    const lines = (left + text).split('\n');
    left = lines.pop() ?? '';
    yield* lines;
    if (left.length > rowLengthMax) throw new MeterctlError('invalid', 'A line is too long to be a row.');
  }
  yield left;
}

function parseObject(text: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below, without the text: it may hold what nobody should see.
  }
  throw new MeterctlError('invalid', `Line ${line} is no JSON object.`);
}

async function* readCsv(texts: AsyncIterable<string>, checkHeader: CheckHeader): AsyncGenerator<Row> {
  const parser = parse({
    columns(names: string[]) {
      checkHeader(names);
      return names;
    },
    info: true,
    trim: true,
    skip_empty_lines: true,
    max_record_size: rowLengthMax,
  });
  const fed = pipeline(Readable.from(texts), parser);
  // The parser tells of the same failure while it is read.
  fed.catch(() => undefined);
  try {
    for await (const { record, info } of parser) yield { line: info.lines, fields: record };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new MeterctlError('invalid', `This is no CSV: line ${Number(error.lines ?? 1)} does not fit.`, {
      hint: 'It needs a header line, and in each line as many fields as there.',
      cause: error,
    });
  }
}
