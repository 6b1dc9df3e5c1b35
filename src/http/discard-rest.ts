/** What a client still sends of a request that is answered before all of it is here. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** So much is read for nobody. */
const restBytesMax = 64 * 1024 * 1024;

/**
 * Has the rest read, for nobody, once the answer is out: a client that is cut off while it sends loses the answer along with
 * the connection (RFC 9112 9.6). It is cut off where the rest is too long, or does not come: see the server's `keepAliveTimeout`.
 *
 * To be called before the head is written. Whoever asked whether to send a body at all may send none, and another request in
 * its place: that connection ends (RFC 9110 10.1.1).
 */
export function discardRest(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  const { expect, 'content-length': length = '0' } = req.headers;
  if (expect !== undefined || Number(length) > restBytesMax) {
    res.shouldKeepAlive = false;
    return;
  }
  let bytes = 0;
  res.once('finish', () => {
    // Node goes on reading by itself where nobody has begun. Whoever has begun, and stopped, would hold it up.
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > restBytesMax) req.destroy();
    });
    req.removeAllListeners('readable');
  });
}
