/** A server of the bench inside its own process. */

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Closable } from '../../lib/closers.js';

/** A server that listens. */
export interface BenchServer extends Closable {
  url: string;
}

/** Listens on any free port of this machine. */
export async function listening(server: Server): Promise<BenchServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return of(server);
}

/** A server that was told to listen already. */
export async function listened(server: Server): Promise<BenchServer> {
  if (!server.listening) await once(server, 'listening');
  return of(server);
}

function of(server: Server): BenchServer {
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
