/** A plain function of `Request` to `Response` whose calls are sold, and whose answer streams. */

import type { Meterctl } from '../../src/meterctl.js';
import { completeSlowly } from './model.js';

/** Makes the handler. */
export function createHandler(shop: Meterctl): (request: Request) => Promise<Response> {
  return shop.fetch((request, meter) => {
    const prompt = new URL(request.url).searchParams.get('prompt') ?? '';
    const words = completeSlowly(prompt);
    let tokens = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await words.next();
        if (done) return controller.close();
        tokens += 1;
        // Resolves when it is on disk, so that a crash does not forget what went out.
        await meter.units(tokens);
        controller.enqueue(new TextEncoder().encode(value));
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/plain' } });
  });
}
