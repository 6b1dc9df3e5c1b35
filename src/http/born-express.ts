/** An HTTP server whose request and response objects are born as Express's, instead of being turned into them one by one. */

import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Express } from 'express';

/**
 * Express swaps the prototypes of every request and response for its own (`Object.setPrototypeOf`), which costs two thirds
 * of its time, because the engine then throws away what it has learned of their shape. Here node:http makes objects of two
 * classes that have Express's prototypes already, by its documented options `IncomingMessage` and `ServerResponse`, and the
 * swap finds nothing to do. Behaviour is the same: a test compares it with `app.listen` byte by byte.
 */
export function createExpressServer(app: Express): Server {
  class Request extends IncomingMessage {}
  class Response extends ServerResponse {}
  // `app.request` inherits from IncomingMessage's prototype and knows its app; the class slips in below it.
  Object.setPrototypeOf(Request.prototype, app.request);
  Object.setPrototypeOf(Response.prototype, app.response);
  app.request = Request.prototype as typeof app.request;
  app.response = Response.prototype as typeof app.response;
  return createServer({ IncomingMessage: Request, ServerResponse: Response }, app);
}
