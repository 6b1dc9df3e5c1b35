/** A call under an Idempotency-Key whose daemon is killed while the API that is sold works on it. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { openSubscribedProgram } from '../support/subscribed-program.js';

it('is carried out by another daemon as soon as the first is dead, and is billed once', async () => {
  const runs: (() => void)[] = [];
  const upstream = createServer((_req, res) => void runs.push(() => res.end(`run ${runs.length}`)));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  // A server that listens on a port has an address with it.
  const { port } = upstream.address() as AddressInfo;
  const { program, key } = await openSubscribedProgram({ server: { upstream: `http://127.0.0.1:${port}` } });
  const [first, second] = [await program.serve(), await program.serve()];
  const ask = (url: string) => fetch(`${url}/api`, { headers: { 'x-api-key': key, 'idempotency-key': 'k' } });
  const lost = ask(first.url).catch(() => 'lost');
  await eventually(async () => expect(runs).toHaveLength(1));
  expect((await ask(second.url)).status).toBe(409);
  await first.stop('SIGKILL');
  expect(await lost).toBe('lost');
  const killedAtMs = Date.now();
  const asked: Promise<Response>[] = [];
  await eventually(async () => {
    const answer = ask(second.url);
    asked.push(answer);
    await Promise.race([answer, eventually(async () => expect(runs).toHaveLength(2))]);
    expect(runs).toHaveLength(2);
  });
  // Long before a process that only stood still would be given up.
  expect(Date.now() - killedAtMs).toBeLessThan(10_000);
  runs[1]?.();
  const answers = await Promise.all(asked);
  expect(await answers.at(-1)?.text()).toBe('run 2');
  for (const { status } of answers.slice(0, -1)) expect(status).toBe(409);
  const third = await program.serve();
  expect(await (await ask(third.url)).text()).toBe('run 2');
  const { total } = await program.json<{ total: { units: number } }>(['usage']);
  expect(total.units).toBe(1);
  for (const daemon of [second, third]) expect(await daemon.stop()).toBe(0);
});
