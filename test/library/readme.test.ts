/** What README.md shows of the library runs as it stands there, against the package as others import it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { openShop, type TestShop } from '../support/library.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = /^## In your own app\n([\s\S]*?)^## /m.exec(readme)?.[1] ?? '';
const [expressProgram = '', honoProgram = '', honoMiddleware = ''] = [
  ...section.matchAll(/```js\n([\s\S]*?)```/g),
].map(([, program]) => program);

/** What is sold by the middleware. */
const shoutBelow = `app.post('/v1/shout', async (c) => {
  const { text } = await c.req.json();
  await c.var.meter.units(text.length);
  return c.json({ text: text.toUpperCase() });
});`;

/** Runs a program in the folder of meterctl.json, with its packages beside it. It is ended when the test has finished. */
function start({ folder, env }: TestShop, program: string): { ended: Promise<unknown>; stop(): void } {
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['express', 'hono']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  symlinkSync(root, join(folder, 'node_modules', 'meterctl'));
  writeFileSync(join(folder, 'app.mjs'), program);
  const child = spawn(process.execPath, ['app.mjs'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { ended: once(child, 'exit'), stop: () => void child.kill('SIGTERM') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address with it.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function shout({ key }: TestShop, port: number, text: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/shout`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  });
}

it('the Express program sells, shows its pages, and ends', async () => {
  const seller = await openShop();
  const port = await freePort();
  const program = start(seller, expressProgram.replaceAll('3000', String(port)));
  const answer = await eventually(() => shout(seller, port, 'to all of you'), 30_000);
  expect([answer.status, answer.headers.get('meterctl-units')]).toEqual([200, '4']);
  expect(await answer.json()).toEqual({ text: 'TO ALL OF YOU' });
  expect((await fetch(`http://127.0.0.1:${port}/v1/time`)).status).toBe(401);
  expect((await fetch(`http://127.0.0.1:${port}/portal`)).status).toBe(200);
  program.stop();
  expect(await program.ended).toEqual([0, null]);
  expect(await seller.json('outbox status')).toMatchObject({ pending: 0, delivered: 1 });
});

it.each([
  ['program sells', honoProgram],
  ['middleware sells', `${honoProgram.replace(/^const shout[\s\S]*/m, honoMiddleware)}\n${shoutBelow}`],
])('the Hono %s', async (_what, program) => {
  const seller = await openShop();
  const port = await freePort();
  const server = [
    `import { createServer } from 'node:http';`,
    `createServer(async (req, res) => {`,
    `  const chunks = await req.toArray();`,
    `  const { method, headers, url } = req;`,
    `  const answer = await app.fetch(new Request('http://localhost' + url, { method, headers, body: Buffer.concat(chunks) }));`,
    `  res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());`,
    `}).listen(${port}, '127.0.0.1');`,
  ];
  start(seller, [program, ...server].join('\n'));
  const answer = await eventually(() => shout(seller, port, 'hello'), 30_000);
  expect([answer.status, answer.headers.get('meterctl-units')]).toEqual([200, '5']);
  expect(await answer.json()).toEqual({ text: 'HELLO' });
  expect(await seller.usage()).toEqual({ units: 5, requests: 1 });
});
