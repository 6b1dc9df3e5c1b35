/** The head of the upstream's answer: what of it the client gets, and what it says to us. */

import { fieldsNamedIn, isHopByHop } from './hop-by-hop.js';

/** An answer's head. */
export interface AnswerHead {
  status: number;
  statusText: string;
  /** What the client gets: names and values in turn. */
  headers: string[];
  /** What the upstream says the call costs (`Meterctl-Units`), unchecked; every time it says so. */
  unitsSaid: string[];
  contentType: string | undefined;
  /** Whether the body is compressed. */
  encoded: boolean;
  /** The protocol that the connection is handed over to. */
  upgrade: string | undefined;
}

/** Reads the head from undici's raw fields: names and values in turn. */
export function answerHead(
  status: number,
  statusText: string,
  raw: readonly (Buffer | string)[],
): AnswerHead {
  const head: AnswerHead = {
    status,
    statusText,
    headers: [],
    unitsSaid: [],
    contentType: undefined,
    encoded: false,
    upgrade: undefined,
  };
  const fields = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const named = fieldsNamedIn(connectionOf(fields));
  const sized = fields.some((name, index) => index % 2 === 0 && /^content-length$/i.test(name));
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    note(head, name.toLowerCase(), value);
    if (isForClient(name.toLowerCase(), named, sized)) head.headers.push(name, value);
  }
  return head;
}

function note(head: AnswerHead, name: string, value: string): void {
  switch (name) {
    case 'meterctl-units':
      head.unitsSaid.push(value);
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

function isForClient(name: string, named: ReadonlySet<string>, sized: boolean): boolean {
  if (isHopByHop(name, named) || name.startsWith('meterctl-') || name === 'x-request-id') return false;
  // Node sends trailers only behind a chunked body.
  return name !== 'trailer' || !sized;
}

function connectionOf(fields: readonly string[]): string | undefined {
  const values = fields.filter(
    (_, index) => index % 2 === 1 && /^connection$/i.test(fields[index - 1] ?? ''),
  );
  return values.length === 0 ? undefined : values.join(',');
}

/** Names with their values. */
export function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : []));
}
