/** A plain `node:http` listener whose calls are sold: the middleware needs no framework. */

import type { RequestListener } from 'node:http';
import type { Meterctl } from '../../src/meterctl.js';
import { complete } from './model.js';

/** Makes the listener. */
export function createListener(shop: Meterctl): RequestListener {
  const sold = shop.express({ route: 'GET /shout' });
  const pages = shop.pages();

  return (req, res) =>
    pages(req, res, () =>
      sold(req, res, async () => {
        const { searchParams } = new URL(req.url ?? '', 'http://localhost');
        const { text, tokens } = await complete(searchParams.get('text') ?? '');
        await req.meter.units(tokens);
        res.writeHead(200, { 'Content-Type': 'text/plain' });
        res.end(text);
      }),
    );
}
