/** An HTTP server whose request and response objects are born as Express's, instead of being turned into them one by one. */

import {
  createServer,
  IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import type { Express, Request as ExpressRequest, Response as ExpressResponse } from 'express';
import { noteHandOver } from './gateway/request-head.js';

/** Gets every request, before the app or instead of it. */
export type Listener = (req: ExpressRequest, res: ExpressResponse) => void;

/** A server, and its end. */
export interface ExpressServer {
  server: Server;
  /** Takes no new connection. Those that there are end with the calls that run on them, of which the last one says so. */
  close(): Promise<void>;
  /** Ends every connection that there still is. */
  cut(): void;
}

/**
 * Express swaps the prototypes of every request and response for its own (`Object.setPrototypeOf`), which costs two thirds
 * of its time, because the engine then throws away what it has learned of their shape. Here node:http makes objects of two
 * classes that have Express's prototypes already, by its documented options `IncomingMessage` and `ServerResponse`, and the
 * swap finds nothing to do. Behaviour is the same: a test compares it with `app.listen` byte by byte.
 */
export function createExpressServer(app: Express, listener: Listener): ExpressServer {
  class Request extends IncomingMessage {}
  const waiting = new Set<ServerResponse>();
  /** Connections whose last answer has begun. */
  const ending = new WeakSet<Duplex>();
  class Response extends ServerResponse {
    // It has several signatures; what is taken here is what all of them come to.
    override writeHead(status: number, reason?: unknown, fields?: unknown): this {
      if (!server.listening && isLast(waiting, this)) {
        this.shouldKeepAlive = false;
        ending.add(this.req.socket);
      }
      return super.writeHead(status, reason as string, fields as OutgoingHttpHeaders);
    }
  }
  // `app.request` inherits from IncomingMessage's prototype and knows its app; the class slips in below it.
  Object.setPrototypeOf(Request.prototype, app.request);
  Object.setPrototypeOf(Response.prototype, app.response);
  app.request = Request.prototype as typeof app.request;
  app.response = Response.prototype as typeof app.response;
  // What the server makes is what Express makes of it, as of here.
  const onRequest = listener as unknown as (req: IncomingMessage, res: ServerResponse) => void;
  const server = createServer({ IncomingMessage: Request, ServerResponse: Response }, (req, res) => {
    // No answer would reach anybody.
    if (ending.has(req.socket)) return;
    if (!res.socket) addWaiting(waiting, res);
    onRequest(req, res);
  });
  server.on('connection', (socket) => socket.once('close', () => closeWaiting(waiting, socket)));
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (req: Request, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    noteHandOver(req);
    const res = answerOn(new Response(req), req, head);
    if (res) onRequest(req, res);
  });
  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // A connection that was told to stay, and on which nothing more comes.
      server.keepAliveTimeout = 1;
      await closed;
    },
    cut() {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    },
  };
}

/** Remembers an answer that waits for an earlier one on its connection. */
function addWaiting(waiting: Set<ServerResponse>, res: ServerResponse): void {
  waiting.add(res);
  res.once('socket', () => waiting.delete(res));
}

/** Whether no answer is to come on the connection behind this one. */
function isLast(waiting: ReadonlySet<ServerResponse>, res: ServerResponse): boolean {
  const last = [...waiting].findLast(({ req }) => req.socket === res.req.socket);
  return last === undefined || last === res;
}

/** Tells answers that their connection has closed, which Node does not while they wait. */
function closeWaiting(waiting: Set<ServerResponse>, socket: Duplex): void {
  for (const res of waiting) {
    if (res.req.socket !== socket) continue;
    waiting.delete(res);
    res.destroy();
    res.emit('close');
  }
}

/**
 * Node leaves the connection of a request for another protocol to us. Here it gets an answer as any other request does; none
 * where it came before an earlier request on the connection was answered, which then ends.
 */
function answerOn(res: ServerResponse, req: IncomingMessage, head: Buffer): ServerResponse | undefined {
  const { socket } = req;
  socket.on('error', () => socket.destroy());
  try {
    res.assignSocket(socket);
  } catch {
    // The connection still belongs to the answer before, and Node tells that by throwing alone.
    socket.destroy();
    return undefined;
  }
  if (head.length > 0) socket.unshift(head);
  res.shouldKeepAlive = false;
  res.once('finish', () => {
    res.detachSocket(socket);
    socket.destroySoon();
  });
  return res;
}
