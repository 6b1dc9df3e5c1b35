/** A Hono app whose calls are sold. */

import { type Context, Hono } from 'hono';
import { streamText } from 'hono/streaming';
import type { Meterctl } from '../../src/meterctl.js';
import { complete, completeSlowly } from './model.js';

/** Makes the app. */
export function createHonoApp(shop: Meterctl): Hono {
  const app = new Hono();

  const chat = shop.fetch({ maxUnits: 10_000 }, async (_request, meter, c: Context) => {
    const { prompt } = await c.req.json();
    const { text, tokens } = await complete(prompt);
    await meter.units(tokens);
    return c.json({ text });
  });
  app.post('/v1/chat', (c) => chat(c.req.raw, c));

  const stream = shop.fetch({ onAbort: 'upstream' }, (_request, meter, c: Context) =>
    streamText(c, async (out) => {
      let tokens = 0;
      for await (const word of completeSlowly(c.req.query('prompt') ?? '')) {
        tokens += 1;
        await out.write(word);
      }
      await meter.units(tokens);
    }),
  );
  app.get('/v1/stream', (c) => stream(c.req.raw, c));
  return app;
}
