/** The head of the upstream's answer: what of it the client gets, and what it says to us. */

import type { IncomingMessage } from 'node:http';
import { fieldsNamedIn, isHopByHop } from './hop-by-hop.js';

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
  const hasChunks = httpVersion !== '1.0' && method !== 'HEAD' && status !== 204 && status !== 304;
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
    : passing.filter((_, index) => {
        const name = passing[index - (index % 2)]?.toLowerCase() ?? '';
        return !named.has(name) && !(signs.isSized && name === 'trailer');
      });
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
      head.unitsSaid.push(value);
      break;
    case 'ratelimit':
    case 'ratelimit-policy':
    case 'x-ratelimit-limit':
    case 'x-ratelimit-remaining':
    case 'x-ratelimit-reset':
      head.tellsLimits = true;
      break;
    case 'upgrade':
      head.upgrade = value;
      break;
    case 'content-type':
      head.contentType = value;
      break;
    case 'content-encoding':
      head.encoded = value.trim().toLowerCase() !== 'identity';
      break;
  }
}

/** What of the upstream's trailers the client gets. */
export function answerTrailers(raw: readonly (Buffer | string)[]): string[] {
  const flat = raw.map(textOf);
  return flat.filter((_, index) => {
    const name = flat[index - (index % 2)]?.toLowerCase() ?? '';
    return isForClient(name);
  });
}

function isForClient(name: string): boolean {
  return !isHopByHop(name) && !name.startsWith('meterctl-') && name !== 'x-request-id';
}
