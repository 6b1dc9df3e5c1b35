/** A stream whose daemon is killed: what it held of its customer's limits can be sold by another daemon. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { openSubscribedProgram } from '../support/subscribed-program.js';

it('leaves what it held to others as soon as its daemon is dead', async () => {
  const upstream = createServer((req, res) => {
    if (req.url !== '/events') return void res.end('sold');
    res.setHeader('content-type', 'text/event-stream').write('data: x\n\n');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  // A server that listens on a port has an address with it.
  const { port } = upstream.address() as AddressInfo;
  const { program, customerId, key } = await openSubscribedProgram({
    server: { upstream: `http://127.0.0.1:${port}` },
    routes: [
      { path: '/events', units: { by: 'events' }, reserveUnits: 300 },
      { path: '/dear', units: 299 },
    ],
  });
  await program.json(['limits', 'set', customerId, '--quota', '300/month']);
  const [first, second] = [await program.serve(), await program.serve()];
  const ask = (url: string, path: string) => fetch(`${url}${path}`, { headers: { 'x-api-key': key } });
  const stream = await ask(first.url, '/events');
  const cut = stream.text().catch(() => 'cut');
  expect((await ask(second.url, '/dear')).status).toBe(429);
  await first.stop('SIGKILL');
  const killedAtMs = Date.now();
  expect(await cut).toBe('cut');
  await eventually(async () => expect((await ask(second.url, '/dear')).status).toBe(200));
  // Long before a process that only stood still would be given up.
  expect(Date.now() - killedAtMs).toBeLessThan(10_000);
  const { total } = await program.json<{ total: { units: number } }>(['usage']);
  // The stream's only event may not have been on disk yet.
  expect([299, 300]).toContain(total.units);
  expect(await second.stop()).toBe(0);
});
