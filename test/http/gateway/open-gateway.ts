/** The whole daemon before an upstream that the test writes, with a customer who has a key. */

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { openDaemon, type TestDaemon } from '../../support/daemon.js';

/** What tests talk to. */
export interface TestGateway extends TestDaemon {
  /** The secret of the customer's key. */
  key: string;
  customerId: string;
  keyId: string;
  /** Calls with the key. */
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Everything in the ledger. */
  usage(): Promise<{ units: number; requests: number }>;
}

/** Opens a daemon before these upstreams. `config` is put over its meterctl.json. */
export async function openGateway(
  upstreams: string | readonly string[],
  config: Record<string, unknown> = {},
): Promise<TestGateway> {
  const daemon = await openDaemon({
    config: { ...config, server: { upstream: typeof upstreams === 'string' ? upstreams : [...upstreams] } },
  });
  const customer = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  const { id, key } = await daemon.json<{ id: string; key: string }>(`keys create --customer ${customer.id}`);
  return {
    ...daemon,
    ...{ key, customerId: customer.id, keyId: id },
    call(path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set('x-api-key', key);
      return fetch(`${daemon.url}${path}`, { ...init, headers });
    },
    async usage() {
      const { total } = await daemon.json<{ total: { units: number; requests: number } }>('usage');
      return { units: total.units, requests: total.requests };
    },
  };
}

/** Serves HTTP until the test has finished. Returns its URL. */
export async function openUpstream(
  listener: RequestListener,
  prepare?: (server: Server) => void,
): Promise<string> {
  const server = createServer(listener);
  prepare?.(server);
  const url = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  return url;
}

/** Serves events without an end, for as long as anybody listens. Returns its URL. */
export function openEvents(): Promise<string> {
  return openUpstream((_req, res) => {
    res.setHeader('content-type', 'text/event-stream');
    const more = () => {
      if (!res.destroyed) res.write('data: x\n\n', () => setImmediate(more));
    };
    more();
  });
}

/** Reads what comes until the connection ends, in whatever way. */
export async function readAll(answer: Response): Promise<string> {
  let text = '';
  try {
    for await (const piece of answer.body ?? []) text += Buffer.from(piece).toString('latin1');
  } catch {
    // Cut off: what came counts.
  }
  return text;
}

/** Serves bare bytes until the test has finished, for what no HTTP library would send. Returns its URL. */
export async function openRawUpstream(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  const url = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return url;
}

async function listen(server: Server | ReturnType<typeof createSocketServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  // A server that listens on a port has an address with it.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Everything of a request's body. */
export async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // A request without an encoding gives buffers.
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Sends bytes as they are, and reads what comes until the other side ends or `until` is seen. */
export async function sendRaw(url: string, text: string | Buffer, until?: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.write(text);
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (until !== undefined && answer.includes(until)) resolve();
    });
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  socket.destroy();
  return answer;
}
