/** What everything is compared with: Express as its own guide shows it. */

import express from 'express';
import { plainAnswer } from './answer.js';
import { type BenchServer, listened } from './server.js';

/** Answers `/api`. */
export function openBareExpress(): Promise<BenchServer> {
  const app = express();
  app.get('/api', (_, res) => {
    res.json(plainAnswer);
  });
  return listened(app.listen(0, '127.0.0.1'));
}
