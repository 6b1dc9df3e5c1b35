/** What handlers give to `write`, `end` and `writeHead`, in any of the forms that Node takes. */

import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pairs } from '../lib/header-list.js';

/** What is called when a piece has gone out. */
export type Callback = (error?: Error | null) => void;

/** A piece of an answer's body. */
export interface Piece {
  bytes: Buffer;
  done: Callback | undefined;
}

/** The piece that `write` or `end` was given. Throws TypeError for what is neither text nor bytes. */
export function pieceOf([chunk, ...rest]: unknown[]): Piece {
  const done = [chunk, ...rest].find((arg) => typeof arg === 'function') as Callback | undefined;
  if (chunk === undefined || chunk === null || typeof chunk === 'function') {
    return { bytes: Buffer.alloc(0), done };
  }
  if (typeof chunk === 'string') {
    const encoding = typeof rest[0] === 'string' ? (rest[0] as BufferEncoding) : 'utf8';
    return { bytes: Buffer.from(chunk, encoding), done };
  }
  if (chunk instanceof Uint8Array) {
    return { bytes: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), done };
  }
  throw new TypeError('A piece of an answer must be a string or bytes.');
}

/** Sets header fields, in the forms that `writeHead` takes them in. */
export function setHeaders(res: ServerResponse, fields: unknown): void {
  if (Array.isArray(fields)) {
    const flat = fields.flat().map(String);
    for (const [name] of pairs(flat)) res.removeHeader(name);
    for (const [name, value] of pairs(flat)) res.appendHeader(name, value);
  } else if (typeof fields === 'object' && fields !== null) {
    for (const [name, value] of Object.entries(fields as OutgoingHttpHeaders)) {
      if (value !== undefined) res.setHeader(name, value);
    }
  }
}

/** A header's values as text. */
export function textsOf(value: OutgoingHttpHeader | undefined): string[] {
  return value === undefined ? [] : [value].flat().map(String);
}
