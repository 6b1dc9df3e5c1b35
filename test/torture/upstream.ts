/** An API that is sold through the gateway: it tells what a call costs with the last of what it sends. */

import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchServer, listening } from '../../src/bench/servers/server.js';

/** The routes of meterctl.json that sell it. */
export const upstreamRoutes = [
  { path: '/stream', units: { by: 'last-event', pointer: '/usage/units' }, maxUnits: 1_000 },
];

/** Serves `/stream?units=N`: some events, and in the last one that they cost N units. All else is one unit. It is never killed. */
export async function openUpstream(): Promise<BenchServer> {
  const server = createServer(async (req, res) => {
    const units = new URL(req.url ?? '', 'http://x').searchParams.get('units');
    if (units === null) return void res.end('ok');
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let event = 0; event < 3; event += 1) {
      res.write(`data: {"delta":"${event}"}\n\n`);
      await sleep(event * 5);
    }
    return void res.end(`data: {"usage":{"units":${units}}}\n\n`);
  });
  return listening(server);
}
