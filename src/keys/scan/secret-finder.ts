/** Finds secrets in text that comes in pieces, with the line on which each begins. */

import { Buffer } from 'node:buffer';
import { isWellFormed, prefixLength, secretLengthMax, secretTailPattern } from '../secret.js';

/** A secret that stands in a text. */
export interface Sighting {
  secret: string;
  /** From 1 on. */
  line: number;
}

/** Reads one text. */
export interface SecretFinder {
  /** The secrets that are complete with this piece. */
  feed(piece: Uint8Array): Sighting[];
}

/** Git calls a file binary when there is a zero byte in its beginning; so do we. */
const binaryProbeBytes = 8_000;

/** A byte order mark of UTF-16. */
const markBytes = 2;

/** A finder for one text. What is binary is not looked at. */
export function createSecretFinder(): SecretFinder {
  let left = '';
  let line = 1;
  let start: Buffer = Buffer.alloc(0);
  let decode: ((bytes: Buffer) => string) | undefined;

  return {
    feed(piece) {
      let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      if (!decode) {
        bytes = Buffer.concat([start, bytes]);
        start = bytes;
        if (bytes.length < markBytes) return [];
        decode = decoderFor(bytes);
      }
      const text = left + decode(bytes);
      const tails = [...text.matchAll(new RegExp(secretTailPattern, 'g'))];
      const found: Sighting[] = [];
      let counted = 0;
      for (const { index, 0: tail } of tails) {
        line += countLines(text, counted, index);
        counted = index;
        const secret = secretBefore(text, index, tail);
        if (secret !== undefined) found.push({ secret, line });
      }
      // The beginning of a secret may be the end of this piece. What is found already is not looked at again.
      const last = tails.at(-1);
      const keepFrom = Math.max(last ? last.index + last[0].length : 0, text.length - secretLengthMax);
      line += countLines(text, counted, keepFrom);
      left = text.slice(keepFrom);
      return found;
    },
  };
}

/** By the beginning of a text. Windows writes UTF-16 with a byte order mark, which is full of zero bytes. */
function decoderFor(start: Buffer): (bytes: Buffer) => string {
  const mark = start.toString('hex', 0, markBytes);
  if (mark === 'fffe' || mark === 'feff') {
    const decoder = new TextDecoder(mark === 'fffe' ? 'utf-16le' : 'utf-16be');
    return (bytes) => decoder.decode(bytes, { stream: true });
  }
  if (start.subarray(0, binaryProbeBytes).includes(0)) return () => '';
  // One character a byte: secrets are ASCII, and no piece can cut a character in two.
  return (bytes) => bytes.toString('latin1');
}

/** Letters of something else may stand before a secret, as in the escaped line break of `"\nmk_live_…"`. */
function secretBefore(text: string, index: number, tail: string): string | undefined {
  for (let length = prefixLength.min; length <= prefixLength.max && length <= index; length += 1) {
    const candidate = text.slice(index - length, index) + tail;
    if (isWellFormed(candidate)) return candidate;
  }
  return undefined;
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
