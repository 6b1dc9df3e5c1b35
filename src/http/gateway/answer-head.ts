/** The head of the upstream's answer: what of it the client gets, and what it says to us. */

import type { IncomingMessage } from 'node:http';
import { keepFields, pairs } from '../../lib/header-list.js';
import { hasBody } from '../has-body.js';
import { fieldsNamedIn, isHopByHop } from './hop-by-hop.js';

/** The fields in which an answer tells of limits: ours have the same names. */
const limitFields = new Set([
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]);

/** An answer's head. */
export interface AnswerHead {
  status: number;
  statusText: string;
  /** What the client gets: names and values in turn. */
  headers: string[];
  /** What the upstream says the call costs (`Meterctl-Units`), unchecked; every time it says so. */
  unitsSaid: string[];
  /** Whether it tells of limits of its own. */
  tellsLimits: boolean;
  contentType: string | undefined;
  /** Whether the body is compressed. */
  encoded: boolean;
  /** The protocol that the connection is handed over to. */
  upgrade: string | undefined;
  /** Whether it is handed over. */
  upgraded: boolean;
}

/** Whose request is answered: a field that Node could not write for it must not be in the head. */
type Asked = Pick<IncomingMessage, 'method' | 'httpVersion'>;

/** Reads the head from undici's raw fields: names and values in turn. */
export function answerHead(
  { method, httpVersion }: Asked,
  status: number,
  statusText: string,
  raw: readonly (Buffer | string)[],
): AnswerHead {
  const head: AnswerHead = {
    status,
    // Everything but line ends comes through undici's parser here, and Node refuses to write some of it.
    statusText: statusText.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?'),
    headers: [],
    unitsSaid: [],
    tellsLimits: false,
    contentType: undefined,
    encoded: false,
    upgrade: undefined,
    upgraded: status === 101,
  };
  const passing: string[] = [];
  const hasChunks = httpVersion !== '1.0' && hasBody(method, status);
  const signs: Signs = { connection: undefined, isSized: !hasChunks, hasTrailer: false };
  for (let index = 0; index < raw.length; index += 2) {
    const field = textOf(raw[index]);
    const value = textOf(raw[index + 1]);
    const name = field.toLowerCase();
    note(head, signs, name, value);
    if (isForClient(name)) passing.push(field, value);
  }
  const named = fieldsNamedIn(signs.connection);
  // Node sends trailers only behind a chunked body, and throws where another head announces some.
  const isPlain = named.size === 0 && !(signs.isSized && signs.hasTrailer);
  head.headers = isPlain
    ? passing
    : keepFields(passing, (name) => !named.has(name) && !(signs.isSized && name === 'trailer'));
  return head;
}

/** What decides about other fields. */
interface Signs {
  connection: string | undefined;
  /** Whether the body has a known length, or is none, or has no length at all: nothing that is sent in chunks. */
  isSized: boolean;
  hasTrailer: boolean;
}

function textOf(part: Buffer | string | undefined): string {
  return typeof part === 'object' ? part.toString('latin1') : (part ?? '');
}

function note(head: AnswerHead, signs: Signs, name: string, value: string): void {
  switch (name) {
    case 'connection':
      signs.connection = signs.connection === undefined ? value : `${signs.connection},${value}`;
      break;
    case 'content-length':
      signs.isSized = true;
      break;
    case 'trailer':
      signs.hasTrailer = true;
      break;
    case 'meterctl-units':
      head.unitsSaid.push(value.trim());
      break;
    case 'upgrade':
      head.upgrade = value.trim();
      break;
    case 'content-type':
      head.contentType = value;
      break;
    case 'content-encoding':
      head.encoded = value.trim().toLowerCase() !== 'identity';
      break;
    default:
      head.tellsLimits ||= limitFields.has(name);
  }
}

/** The fields that the client gets: of those that the bill names too, only the bill's. Of two answers to how much is left, it would read none. */
export function billedFields({ headers, tellsLimits }: AnswerHead, bill: readonly string[]): string[] {
  if (!tellsLimits) return [...headers, ...bill];
  const billed = new Set(pairs(bill).map(([name]) => name.toLowerCase()));
  return [...keepFields(headers, (name) => !billed.has(name)), ...bill];
}

/** What of the upstream's trailers the client gets. What they say of limits would come behind what we have said. */
export function answerTrailers(raw: readonly (Buffer | string)[]): string[] {
  return keepFields(raw.map(textOf), (name) => isForClient(name) && !limitFields.has(name));
}

function isForClient(name: string): boolean {
  return !isHopByHop(name) && !name.startsWith('meterctl-') && name !== 'x-request-id';
}
