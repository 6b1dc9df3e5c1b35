/** The fetch-style wrapper: what `Request` and `Response` add to what the middleware does. */

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Price } from '../../src/meterctl.js';
import { eventually } from '../support/eventually.js';
import { openShop, type TestShop } from '../support/library.js';

function ask({ key }: TestShop, init: RequestInit = {}, path = '/'): Request {
  return new Request(`http://localhost${path}`, { ...init, headers: { 'x-api-key': key, ...init.headers } });
}

/** A stream of these pieces, that says what becomes of it. */
function streamOf(pieces: string[], onCancel: () => void = () => undefined) {
  let next = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      await sleep(5);
      const piece = pieces[next];
      next += 1;
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
    cancel: onCancel,
  });
}

describe('a wrapped handler', () => {
  it('is called with what the framework hands over, and answers as it did', async () => {
    const seller = await openShop();
    const sold = seller.shop.fetch(async (request, meter, first: string, second: number) => {
      await meter.units(2);
      const headers = new Headers({ 'X-Own': first });
      headers.append('Set-Cookie', 'a=1');
      headers.append('Set-Cookie', 'b=2');
      return new Response(`${await request.text()} ${second}`, { status: 202, headers });
    });
    const answer = await sold(ask(seller, { method: 'POST', body: 'hello' }), 'one', 2);
    expect([answer.status, await answer.text()]).toEqual([202, 'hello 2']);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([answer.headers.get('x-own'), answer.headers.get('meterctl-units')]).toEqual(['one', '2']);
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await seller.usage()).toEqual({ units: 2, requests: 1 });
  });

  it('is not called without a key, nor for an address that the key may not be used from', async () => {
    const seller = await openShop();
    const { key } = await seller.json<{ key: string }>(
      `keys create --customer ${seller.customerId} --ip 192.0.2.0/24`,
    );
    const price = { address: (_request: Request, address?: string) => address };
    const sold = seller.shop.fetch(price, (_request, _meter, _address?: string) => new Response('ok'));
    const missing = await sold(new Request('http://localhost/'));
    expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const bound = { headers: { 'x-api-key': key } };
    expect((await sold(ask(seller, bound))).status).toBe(403);
    expect((await sold(ask(seller, bound), '198.51.100.1')).status).toBe(403);
    expect((await sold(ask(seller, bound), '192.0.2.7')).status).toBe(200);
    expect((await seller.usage()).units).toBe(1);
  });

  it('costs nothing when it throws, and the framework hears of it', async () => {
    const seller = await openShop();
    const sold = seller.shop.fetch(async (_request, meter) => {
      await meter.units(9);
      throw new Error('broken');
    });
    await expect(sold(ask(seller))).rejects.toThrow('broken');
    expect((await seller.usage()).units).toBe(0);
  });

  it('may answer without a body, and without units', async () => {
    const seller = await openShop();
    const sold = seller.shop.fetch({ units: 3 }, () => new Response(null, { status: 204 }));
    const answer = await sold(ask(seller));
    expect([answer.status, answer.body, answer.headers.get('meterctl-units')]).toEqual([204, null, '3']);
  });

  it('is billed by its body', async () => {
    const seller = await openShop();
    const price = { units: { by: 'json', pointer: '/usage/total' } } as const satisfies Price;
    const sold = seller.shop.fetch(price, () => Response.json({ usage: { total: 12 } }));
    const answer = await sold(ask(seller));
    expect(answer.headers.get('meterctl-units')).toBe('12');
    expect(await answer.json()).toEqual({ usage: { total: 12 } });
  });
});

describe('a reader that goes', () => {
  it.each([
    ['delivered', 1],
    ['upstream', 4],
    ['none', 0],
  ] as const)('owes by %s %i units', async (onAbort, units) => {
    const seller = await openShop();
    const price = { onAbort, units: { by: 'response-bytes', per: 1 } } as const;
    let cancelled = false;
    const cancel = () => {
      cancelled = true;
    };
    const sold = seller.shop.fetch(price, () => new Response(streamOf(['a', 'b', 'c', 'd'], cancel)));
    const answer = await sold(ask(seller));
    const reader = answer.body!.getReader();
    await reader.read();
    await reader.cancel();
    await eventually(async () => expect(await seller.usage()).toEqual({ units, requests: 1 }));
    expect(cancelled).toBe(onAbort !== 'upstream');
  });

  it('is noticed by the signal too', async () => {
    const seller = await openShop();
    const gone = new AbortController();
    const price = { units: { by: 'response-bytes', per: 1 } } as const;
    const sold = seller.shop.fetch(price, () => new Response(streamOf(['a', 'b', 'c'])));
    const answer = await sold(ask(seller, { signal: gone.signal }));
    await answer.body!.getReader().read();
    gone.abort();
    await eventually(async () => expect(await seller.usage()).toEqual({ units: 1, requests: 1 }));
  });
});

describe('a call that nobody reads the answer of', () => {
  const limited = async () => {
    const seller = await openShop();
    await seller.json(`limits set ${seller.customerId} --max-in-flight 1`);
    return seller;
  };

  it('is over when its request was HEAD, which frameworks drop the body of', async () => {
    const seller = await limited();
    let cancelled = false;
    const onCancel = () => {
      cancelled = true;
    };
    const sold = seller.shop.fetch(() => new Response(streamOf(Array<string>(10_000).fill('x'), onCancel)));
    for (const _ of [1, 2]) {
      const answer = await sold(ask(seller, { method: 'HEAD' }));
      expect([answer.status, answer.body, answer.headers.get('meterctl-units')]).toEqual([200, null, '1']);
    }
    expect(cancelled).toBe(true);
    expect(await seller.usage()).toEqual({ units: 2, requests: 2 });
  });

  it('is not begun for a client that hung up while it was let in', async () => {
    const seller = await limited();
    let calls = 0;
    const sold = seller.shop.fetch(() => {
      calls += 1;
      return new Response(streamOf(['x']));
    });
    expect((await sold(ask(seller, { signal: AbortSignal.abort() }))).status).toBe(499);
    expect(calls).toBe(0);
    expect(await (await sold(ask(seller))).text()).toBe('x');
  });

  it('harms no program whose stream fails while it is given up', async () => {
    const seller = await openShop();
    const client = new AbortController();
    const sold = seller.shop.fetch(
      () =>
        new Response(
          streamOf(['x', 'y'], () => {
            throw new Error('it will not end');
          }),
        ),
    );
    const failures: unknown[] = [];
    const note = (error: unknown) => void failures.push(error);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    await sold(ask(seller, { signal: client.signal }));
    client.abort();
    await sleep(20);
    expect(failures).toEqual([]);
  });
});
