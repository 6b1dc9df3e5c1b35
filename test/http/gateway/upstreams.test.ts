/** Which of several upstreams is well, as it is found by asking them and by sending them calls. */

import type { Dispatcher } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { openUpstreams, type Upstreams } from '../../../src/http/gateway/upstreams.js';
import { eventually } from '../../support/eventually.js';
import { createFakeHost } from '../../support/host.js';
import { openUpstream } from './open-gateway.js';

/** Sends a call to the next in turn. Resolves with what it answers. */
function call(upstreams: Upstreams): Promise<string> {
  return new Promise((resolve, reject) => {
    const upstream = upstreams.choose([]);
    let text = '';
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => upstream?.noteUp(),
      onResponseData: (_controller, chunk) => {
        text += chunk.toString();
      },
      onResponseEnd: () => resolve(text),
      onResponseError: (_controller, error) => reject(error),
    };
    upstream?.dispatch({ method: 'GET', path: '/', headers: [], body: null, upgrade: null }, handler, false);
  });
}

it('one whose health is bad gets nothing before it is good again, however long and however reachable', async () => {
  const host = createFakeHost();
  let [health, asked] = [503, 0];
  const well = await openUpstream((_req, res) => res.end('well'));
  const sick = await openUpstream((req, res) => {
    if (req.url === '/health') {
      res.statusCode = health;
      asked += 1;
    }
    res.end('sick');
  });
  const settings = { urls: [well, sick], headTimeoutMs: 5_000, idleTimeoutMs: 5_000, healthPath: '/health' };
  const upstreams = openUpstreams(settings, host);
  onTestFinished(() => upstreams.close());
  const told = (message: string) => eventually(async () => expect(host.lines.at(-1)?.message).toBe(message));
  const calls = async () => new Set([await call(upstreams), await call(upstreams), await call(upstreams)]);

  upstreams.start();
  await told('the health of an upstream is bad');
  for (let second = 0; second < 12; second += 1) {
    const before = asked;
    expect(await calls()).toEqual(new Set(['well']));
    await host.advance(1_000);
    if (second % 5 === 4) await eventually(async () => expect(asked).toBe(before + 1));
  }
  health = 200;
  await host.advance(5_000);
  await told('the health of an upstream is good again');
  expect(await calls()).toEqual(new Set(['well', 'sick']));
  expect(host.lines).toHaveLength(2);
});

it('when the health of all is bad they still get calls', async () => {
  const host = createFakeHost();
  const one = await openUpstream((req, res) => {
    res.statusCode = req.url === '/health' ? 404 : 200;
    res.end('here');
  });
  const settings = { urls: [one], headTimeoutMs: 5_000, idleTimeoutMs: 5_000, healthPath: '/health' };
  const upstreams = openUpstreams(settings, host);
  onTestFinished(() => upstreams.close());
  upstreams.start();
  await eventually(async () => expect(host.lines).toHaveLength(1));
  expect(await call(upstreams)).toBe('here');
});
