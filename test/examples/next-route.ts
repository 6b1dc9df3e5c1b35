/** A route handler as Next.js takes it from `app/v1/models/[id]/route.ts`, whose calls are sold. */

import type { Meterctl } from '../../src/meterctl.js';
import { complete } from './model.js';

/** What Next hands to a route. */
interface Context {
  params: Promise<{ id: string }>;
}

/** Makes what the file exports. There, `shop` comes from a module that calls `meterctl()` once for the whole process. */
export function createRoute(shop: Meterctl) {
  const POST = shop.fetch(
    { route: 'POST /v1/models/:id', scope: 'models' },
    async (request, meter, { params }: Context) => {
      const { id } = await params;
      const { prompt } = (await request.json()) as { prompt?: unknown };
      if (typeof prompt !== 'string') return Response.json({ error: 'prompt is missing' }, { status: 422 });
      const { text, tokens } = await complete(prompt);
      await meter.units(tokens);
      return Response.json({ id, text, customer: meter.customerId });
    },
  );
  return { POST };
}
