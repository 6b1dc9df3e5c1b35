/** http-proxy-middleware before an API, with connections that are kept; the one home of http-proxy-middleware. */

import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { type BenchServer, listened } from './server.js';

/** Passes everything on, unmetered. */
export function openProxyMiddleware(target: string): Promise<BenchServer> {
  const app = express();
  app.use(createProxyMiddleware({ target, agent: new Agent({ keepAlive: true }) }));
  return listened(app.listen(0, '127.0.0.1'));
}
