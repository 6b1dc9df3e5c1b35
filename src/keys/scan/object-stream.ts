/** Takes apart what `git cat-file --batch` prints: a header line, so many bytes, a line break, and so on. */

import { Buffer } from 'node:buffer';

/** A piece of one object. */
export interface ObjectPiece {
  /** The header line, which the caller asked for. */
  header: string;
  /** Whether it is the first piece of its object. */
  first: boolean;
  bytes: Uint8Array;
}

/** Yields the objects piece by piece as they come; no object is held as a whole. The size is the header's second word. */
export async function* readObjects(output: AsyncIterable<Buffer>): AsyncGenerator<ObjectPiece> {
  let start: Buffer = Buffer.alloc(0);
  let current: { header: string; leftBytes: number; first: boolean } | undefined;
  for await (const chunk of output) {
    let rest: Buffer = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
    start = Buffer.alloc(0);
    while (rest.length > 0) {
      if (!current) {
        const end = rest.indexOf(0x0a);
        if (end === -1) {
          start = rest;
          break;
        }
        const header = rest.toString('utf8', 0, end);
        rest = rest.subarray(end + 1);
        // An object that is missing, as in a partial clone, has no size and no bytes.
        const size = Number(header.split(' ')[1]);
        if (Number.isSafeInteger(size)) current = { header, leftBytes: size, first: true };
        continue;
      }
      const { header, first, leftBytes } = current;
      const bytes = rest.subarray(0, leftBytes);
      if (bytes.length > 0) yield { header, first, bytes };
      // The line break after the object is one byte more.
      const taken = Math.min(rest.length, leftBytes + 1);
      rest = rest.subarray(taken);
      current =
        taken === leftBytes + 1 ? undefined : { header, first: false, leftBytes: leftBytes - bytes.length };
    }
  }
}
