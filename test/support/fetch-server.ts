/** Serves a fetch-style handler with `node:http`, as the adapters of frameworks do. */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';

/** A listener that answers by the handler. What it throws is answered 500. */
export function fetchListener(handler: (request: Request) => Response | Promise<Response>): RequestListener {
  return async (req, res) => {
    const response = await answerTo(handler, req, res).catch(() => new Response('broken', { status: 500 }));
    for (const [name, value] of response.headers) res.appendHeader(name, value);
    res.writeHead(response.status);
    if (!response.body) return void res.end();
    // Both are the same stream under two names.
    const body = Readable.fromWeb(response.body as NodeStream<Uint8Array>);
    body.on('error', () => res.destroy());
    res.on('close', () => body.destroy());
    body.pipe(res);
  };
}

async function answerTo(
  handler: (request: Request) => Response | Promise<Response>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Response> {
  const gone = new AbortController();
  res.on('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) headers.set(name, String(value));
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD';
  const init = { method: req.method ?? 'GET', headers, signal: gone.signal };
  // A streaming body needs `duplex`, and is the same stream under two names.
  const streaming = { ...init, duplex: 'half', body: Readable.toWeb(req) } as RequestInit;
  return handler(new Request(`http://${req.headers.host}${req.url}`, hasBody ? streaming : init));
}
