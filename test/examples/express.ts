/** An Express app whose calls are sold, with the pages that buyers need. */

import express, { type Express } from 'express';
import type { Meterctl } from '../../src/meterctl.js';
import { complete, completeSlowly } from './model.js';

/** Makes the app. */
export function createExpressApp(shop: Meterctl): Express {
  const app = express();
  // Before anything that reads bodies: Stripe's messages are checked byte by byte.
  app.use(shop.pages());
  app.use(express.json());

  // A call costs a unit unless its handler says otherwise.
  app.get('/v1/time', shop.express(), (_req, res) => {
    res.json({ now: Date.now() });
  });

  app.post('/v1/chat', shop.express({ scope: 'chat', maxUnits: 10_000 }), async (req, res) => {
    const { text, tokens } = await complete(req.body.prompt);
    await req.meter.units(tokens);
    res.json({ text });
  });

  // While an answer streams, every word about its units is on disk before the handler goes on.
  app.get('/v1/stream', shop.express({ onAbort: 'delivered' }), async (req, res) => {
    let tokens = 0;
    for await (const word of completeSlowly(String(req.query.prompt))) {
      tokens += 1;
      await req.meter.units(tokens);
      res.write(word);
    }
    res.end();
  });
  return app;
}
