/** How long the body of a request is. */

import type { IncomingMessage } from 'node:http';
import type { RequestSigns } from '../metering/tally.js';

/** The body's length by `Content-Length`. */
export function sizeByHead(contentLength: string | undefined): RequestSigns {
  return { bytes: Number(contentLength ?? 0), ended: true };
}

/**
 * Counts the body as it comes in, whoever reads it and however; the count goes on while the request does. `undefined` where
 * some of it went by before, or is held as text, of which nobody knows the bytes.
 */
export function countBody(req: IncomingMessage): RequestSigns | undefined {
  if (req.readableDidRead || req.readableEncoding !== null) return undefined;
  const signs: RequestSigns = { bytes: req.readableLength, ended: req.complete };
  const { push } = req;
  // Node's parser gives each piece to `push`, before anybody can read it; listening to `data` would set the stream going.
  req.push = (piece: Buffer | null, encoding) => {
    if (piece === null) signs.ended = true;
    else signs.bytes += piece.length;
    return push.call(req, piece, encoding);
  };
  return signs;
}
