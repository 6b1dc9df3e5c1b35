/** A Hono app of which everything below a path is sold: the wrapper stands before it as middleware. */

import { type Context, Hono, type Next } from 'hono';
import type { Meter, Meterctl } from '../../src/meterctl.js';
import { complete } from './model.js';

/** What handlers find in `c.var`. */
interface Sold {
  Variables: { meter: Meter };
}

/** Makes the app. */
export function createSoldApp(shop: Meterctl): Hono<Sold> {
  const app = new Hono<Sold>();

  const sell = shop.fetch({ maxUnits: 10_000 }, async (_request, meter, c: Context<Sold>, next: Next) => {
    c.set('meter', meter);
    await next();
    return c.res;
  });
  app.use('/v1/*', async (c, next) => {
    const answer = await sell(c.req.raw, c, next);
    // Hono adds an answer's fields to those of the one that takes its place, unless it is taken away before.
    c.res = undefined;
    c.res = answer;
  });

  app.get('/', (c) => c.text('free'));
  app.post('/v1/chat', async (c) => {
    const { prompt } = await c.req.json();
    const { text, tokens } = await complete(prompt);
    await c.var.meter.units(tokens);
    return c.json({ text });
  });
  return app;
}
