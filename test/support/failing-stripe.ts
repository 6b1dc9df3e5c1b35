/** The embedded Stripe behind a server that answers some requests with an error. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openEmulator } from '../../src/emulator/server.js';
import { fetchListener } from './fetch-server.js';
import { createTestFolder } from './folder.js';
import { createFakeHost } from './host.js';

/**
 * `statusOf` is told the body of each request to the path; one it gives no status comes through. Returns where it listens.
 */
export async function openFailingStripe(
  path: string,
  statusOf: (body: string) => number | undefined,
): Promise<string> {
  const databasePath = join(createTestFolder(), 'emulator.db');
  const emulator = await openEmulator({ databasePath, port: 0, host: createFakeHost({ nowMs: Date.now() }) });
  onTestFinished(() => emulator.close());
  const server = createServer(
    fetchListener(async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const body = method === 'GET' ? null : await request.text();
      const status = pathname === path ? statusOf(body ?? '') : undefined;
      if (status !== undefined)
        return Response.json({ error: { type: 'invalid_request_error', message: 'No.' } }, { status });
      headers.delete('connection');
      return fetch(`${emulator.url}${pathname}${search}`, { method, headers, body });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // A TCP server's address is never a pipe's.
  return `http://127.0.0.1:${port}`;
}
