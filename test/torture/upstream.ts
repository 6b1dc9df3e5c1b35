/** An API that is sold through the gateway: it tells what a call costs with the last of what it sends. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The routes of meterctl.json that sell it. */
export const upstreamRoutes = [
  { path: '/stream', units: { by: 'last-event', pointer: '/usage/units' }, maxUnits: 1_000 },
];

/** A running API. It is never killed. */
export interface Upstream {
  url: string;
  close(): void;
}

/** Serves `/stream?units=N`: some events, and in the last one that they cost N units. All else is one unit. */
export async function openUpstream(): Promise<Upstream> {
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address with it.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
