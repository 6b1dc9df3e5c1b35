/** The fastest that Node answers: node:http with a ready-made body. Also the API that the proxies stand before. */

import { createServer } from 'node:http';
import { plainAnswer } from './answer.js';
import { type BenchServer, listening } from './server.js';

/** Answers every request alike. */
export function openRawHttp(): Promise<BenchServer> {
  const body = Buffer.from(JSON.stringify(plainAnswer));
  return listening(
    createServer((_, res) => {
      res.writeHead(200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': body.length,
      });
      res.end(body);
    }),
  );
}
