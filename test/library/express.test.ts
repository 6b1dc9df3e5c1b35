/** Middleware as other programs use it: the same guarantees as the daemon's, over real connections. */

import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MeterctlError, type Price } from '../../src/meterctl.js';
import { breakLedger } from '../support/broken-ledger.js';
import { eventually } from '../support/eventually.js';
import { openShop, serve, type TestShop } from '../support/library.js';

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;

/** An app of one handler. What the handler throws is answered 500, as by every framework. */
async function openApp(seller: TestShop, handler: Handler, price?: Price) {
  const sold = seller.shop.express(price);
  const url = await serve((req, res) =>
    sold(req, res, async (error) => {
      try {
        if (error) throw error;
        await handler(req, res);
      } catch {
        if (res.headersSent) return res.destroy();
        res.statusCode = 500;
        res.end('broken');
      }
    }),
  );
  return {
    url,
    call: (path = '/', init: RequestInit = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { 'x-api-key': seller.key, ...init.headers } }),
  };
}

/** What a broken disk does: nothing of the database is where it was. */
function damageDatabase(folder: string): void {
  for (const name of ['meterctl.db', 'meterctl.db-wal']) {
    const path = join(folder, '.meterctl', name);
    writeFileSync(path, Buffer.alloc(statSync(path).size, 0xff));
  }
}

async function bytesOf(req: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // A request without an encoding gives buffers.
  for await (const piece of req) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

describe('a call', () => {
  it('needs a key, a subscription and room in its limits, as at the daemon', async () => {
    const seller = await openShop();
    const { url, call } = await openApp(seller, (_req, res) => res.end('ok'), { scope: 'chat' });
    const missing = await fetch(url, { headers: { 'x-request-id': 'mine' } });
    expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(missing.headers.get('content-type')).toBe('application/problem+json');
    expect(await missing.json()).toMatchObject({ code: 'missing_api_key', request_id: 'mine' });
    const other = await seller.json<{ key: string }>(
      `keys create --customer ${seller.customerId} --scope other`,
    );
    expect((await call('/', { headers: { 'x-api-key': other.key } })).status).toBe(403);
    await seller.json(`limits set ${seller.customerId} --quota 2/month`);
    const first = await eventually(async () => {
      const answer = await call();
      expect(answer.headers.has('ratelimit')).toBe(true);
      return answer;
    });
    expect(first.headers.get('x-request-id')).toMatch(/^req_/);
    expect(first.headers.get('meterctl-units')).toBe('1');
    const refused = await eventually(async () => {
      const answer = await call();
      expect(answer.status).toBe(429);
      return answer;
    });
    expect(await refused.json()).toMatchObject({ code: 'quota_exceeded' });
    await seller.json(`customers suspend ${seller.customerId}`);
    await eventually(async () => expect((await call()).status).toBe(403));
    expect((await seller.usage()).units).toBe(2);
  });

  it('is on disk before its head goes out, however it is answered', async () => {
    const seller = await openShop();
    const { url } = await openApp(seller, async (req, res) => {
      await req.meter.units(3);
      res.writeHead(201, 'Made', ['X-One', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b']);
      res.write('first ', () => undefined);
      res.write(Buffer.from('second '));
      res.end('last', 'latin1');
    });
    const sent = request(url, { headers: { 'x-api-key': seller.key } }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect([answer.statusCode, answer.statusMessage]).toEqual([201, 'Made']);
    expect(answer.headers).toMatchObject({ 'x-one': '1', 'set-cookie': ['a', 'b'] });
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    expect(body).toBe('first second last');
    // What streams is on disk as a call that runs, and becomes usage at its end.
    await eventually(async () => expect(await seller.usage()).toEqual({ units: 3, requests: 1 }));
  });

  it('costs nothing when its handler fails or refuses', async () => {
    const seller = await openShop();
    const { call } = await openApp(seller, async (req, res) => {
      await req.meter.units(5);
      if (req.url === '/throw') throw new Error('broken');
      res.statusCode = 404;
      res.end('none');
    });
    for (const [path, status] of [
      ['/throw', 500],
      ['/none', 404],
    ] as const) {
      const answer = await call(path);
      expect([answer.status, answer.headers.get('meterctl-units')]).toEqual([status, '0']);
    }
    expect(await seller.usage()).toEqual({ units: 0, requests: 0 });
  });

  it('is not given, and what its handler wrote goes nowhere, when the ledger does not take it', async () => {
    const seller = await openShop();
    const { call } = await openApp(seller, (_req, res) => {
      res.setHeader('X-Secret', 'paid for');
      res.write('paid ');
      res.end('for');
    });
    await (await call()).text();
    await eventually(async () => expect((await seller.usage()).units).toBe(1));
    onTestFinished(breakLedger(join(seller.folder, '.meterctl', 'meterctl.db')));
    const refused = await call();
    expect([refused.status, refused.headers.has('x-secret')]).toEqual([500, false]);
    expect(await refused.json()).toMatchObject({ code: 'internal' });
    expect((await seller.usage()).units).toBe(1);
  });

  it('is refused, as at the daemon, while the database cannot be read', async () => {
    const seller = await openShop();
    const { call } = await openApp(seller, (_req, res) => res.end('ok'));
    const wrapped = seller.shop.fetch(() => new Response('ok'));
    damageDatabase(seller.folder);
    const asked = new Request('http://x/', { headers: { 'x-api-key': seller.key } });
    for (const answer of [await call(), await wrapped(asked)]) {
      expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
      expect(await answer.json()).toMatchObject({ code: 'ledger_unavailable' });
    }
  });

  it('is finished before close, and those behind it are refused', async () => {
    const seller = await openShop();
    let finish: () => void = () => undefined;
    let begun: () => void = () => undefined;
    const began = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { call } = await openApp(
      seller,
      (_req, res) =>
        new Promise<void>((resolve) => {
          finish = () => resolve(void res.end('done'));
          begun();
        }),
    );
    const running = call();
    await began;
    const closing = seller.shop.close();
    const refused = await call();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'unavailable']);
    finish();
    expect(await (await running).text()).toBe('done');
    await closing;
    expect(await seller.usage()).toEqual({ units: 1, requests: 1 });
  });

  it('is sold once', async () => {
    const seller = await openShop();
    const inner = seller.shop.express({ units: 5 });
    const { call } = await openApp(seller, (req, res) => {
      inner(req, res, (error) => res.end(error instanceof MeterctlError ? error.code : 'sold again'));
    });
    expect(await (await call()).text()).toBe('conflict');
  });
});

describe('units', () => {
  it.each([Number.NaN, -1, 1.5, 1e18, 101])('%s are refused, and the fallback is billed', async (units) => {
    const seller = await openShop();
    const { call } = await openApp(
      seller,
      async (req, res) => res.end(await req.meter.units(units).catch((error: Error) => error.message)),
      { maxUnits: 100, fallbackUnits: 7 },
    );
    const answer = await call();
    expect(await answer.text()).toBe(`Units must be a whole number from 0 to 100, not ${units}.`);
    expect(answer.headers.get('meterctl-units')).toBe('7');
    expect(seller.logged.map(({ message }) => message)).toContainEqual(expect.stringContaining('fallback'));
  });

  it('are as meterctl.json says when nobody else does', async () => {
    const seller = await openShop({
      routes: [
        { path: '/free', free: true },
        { path: '/models/:id', units: 4 },
        { path: '/sized', units: { by: 'response-bytes', per: 2 } },
      ],
    });
    const { url, call } = await openApp(seller, (req, res) => {
      if (req.url === '/said') res.setHeader('Meterctl-Units', '9');
      res.end('12345');
    });
    expect((await fetch(`${url}/free`)).status).toBe(200);
    for (const [path, units] of [
      ['/models/x', '4'],
      ['/sized', '3'],
      ['/said', '9'],
      ['/other', '1'],
    ] as const) {
      expect([path, (await call(path)).headers.get('meterctl-units')]).toEqual([path, units]);
    }
    expect((await call('/models%2Fx')).status).toBe(400);
    expect((await seller.usage()).units).toBe(17);
  });

  it('are counted by the bytes of a request that does not tell its length, whoever reads it', async () => {
    const seller = await openShop();
    const app = express();
    const price: Price = { units: { by: 'request-bytes', per: 10 }, fallbackUnits: 7 };
    const sold = seller.shop.express(price);
    app.post('/parsed', sold, express.text({ type: () => true, limit: '1mb' }), (req, res) => {
      res.send(String(req.body.length));
    });
    app.post('/piped', sold, (req, res) => void req.pipe(res));
    app.post('/unread', sold, (_req, res) => res.send('ok'));
    app.post('/late', sold, async (req, res) => {
      await sleep(20);
      res.send(String((await bytesOf(req)).length));
    });
    app.post('/before', express.raw({ type: () => true, limit: '1mb' }), sold, (_req, res) => res.send('ok'));
    const url = await serve(app);
    const post = async (path: string, body: RequestInit['body']) => {
      const init = { method: 'POST', headers: { 'x-api-key': seller.key }, body, duplex: 'half' };
      const answer = await fetch(`${url}${path}`, init as RequestInit);
      return [answer.headers.get('meterctl-units'), (await answer.text()).length > 0];
    };
    const text = 'x'.repeat(500_001);
    const chunked = () => new Blob([text]).stream();
    expect(await post('/parsed', chunked())).toEqual(['50001', true]);
    expect(await post('/late', chunked())).toEqual(['50001', true]);
    expect(await post('/parsed', text)).toEqual(['50001', true]);
    expect(await post('/unread', text)).toEqual(['50001', true]);
    expect(await post('/before', chunked())).toEqual(['7', true]);
    const before = (await seller.usage()).units;
    expect(await post('/piped', chunked())).toEqual([null, true]);
    await eventually(async () => expect((await seller.usage()).units - before).toBe(50_001));
  });

  it('come too late once the answer is complete', async () => {
    const seller = await openShop();
    let late: Promise<unknown> = Promise.resolve();
    const { call } = await openApp(seller, (req, res) => {
      res.end('ok');
      late = once(res, 'finish').then(() => req.meter.units(5).catch((error: unknown) => error));
    });
    expect((await call()).headers.get('meterctl-units')).toBe('1');
    expect(await late).toMatchObject({ code: 'conflict' });
    expect((await seller.usage()).units).toBe(1);
  });

  it('beyond a limit are refused before the answer, and cut it off while it streams', async () => {
    const seller = await openShop({ limits: { quota: '10/month' } });
    const { call } = await openApp(seller, async (req, res) => {
      if (req.url === '/stream') res.write('begun');
      await req.meter.units(req.url === '/stream' ? 50 : 11);
      res.end('never');
    });
    const refused = await call();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      429,
      'quota_exceeded',
    ]);
    await expect(call('/stream').then((answer) => answer.text())).rejects.toThrow();
    await eventually(async () => expect(await seller.usage()).toEqual({ units: 10, requests: 1 }));
  });

  it('are said in vain where another process has sold them, and the client is refused', async () => {
    const seller = await openShop({ limits: { quota: '10/month' } });
    const elsewhere = (await seller.open()).fetch({ units: 10 }, () => new Response('all of them'));
    let said: Promise<unknown> = Promise.resolve();
    const { call } = await openApp(seller, async (req, res) => {
      await elsewhere(new Request('http://x/', { headers: { 'x-api-key': seller.key } }));
      res.write('begun');
      said = Promise.all([req.meter.units(3), sleep(100).then(() => req.meter.units(4))]);
      said = said.then(
        () => 'resolved',
        (error: unknown) => error,
      );
      await sleep(200);
      res.end('never');
    });
    const refused = await call();
    expect(await refused.json()).toMatchObject({ code: 'quota_exceeded' });
    expect(await said).toBe('resolved');
    expect(await seller.usage()).toEqual({ units: 10, requests: 1 });
  });
});

describe('a client that hangs up', () => {
  /** Reads the first piece of the answer, and goes. */
  async function leave(url: string, key: string): Promise<void> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`);
    await once(socket, 'data');
    socket.destroy();
  }

  it.each([
    ['delivered', 1],
    ['upstream', 5],
    ['none', 0],
  ] as const)('owes by %s %i units', async (onAbort, units) => {
    const seller = await openShop();
    const { url } = await openApp(
      seller,
      async (req, res) => {
        await req.meter.units(1);
        res.write('begun');
        await once(res, 'close');
        await sleep(50);
        await req.meter.units(5);
        res.end('rest');
      },
      { onAbort },
    );
    await leave(url, seller.key);
    const requests = 1;
    await eventually(async () => expect(await seller.usage()).toEqual({ units, requests }));
  });
});

describe('an answer that Node refuses to write', () => {
  it('harms nobody else, whenever it is found out', async () => {
    const seller = await openShop();
    const failures: unknown[] = [];
    const note = (error: unknown) => void failures.push(error);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const { call } = await openApp(seller, ({ url }, res) => {
      res.statusMessage = 'two\nlines';
      if (url === '/pieces') res.write('a');
      res.end('b');
    });
    const whole = await call('/whole');
    expect([whole.status, whole.statusText]).toEqual([500, 'Internal Server Error']);
    await expect(call('/pieces')).rejects.toThrow();
    expect(failures).toEqual([]);
  });
});
