import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testMessage } from '../../src/alerts/alert-message.js';
import { createWebhookSink } from '../../src/alerts/webhook-sink.js';
import { createHost } from '../../src/host.js';
import { createFakeHost, type FakeHost } from '../support/host.js';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

async function openReceiver(status: number | null) {
  const received: { headers: IncomingHttpHeaders; body: string; url: string | undefined }[] = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    received.push({ headers: req.headers, body, url: req.url });
    if (status === null) return;
    res.writeHead(status, status === 307 ? { location: '/elsewhere' } : {}).end('thanks');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b` };
}

describe('an outgoing webhook', () => {
  it('is signed so that the libraries of Standard Webhooks take it', async () => {
    const { received, url } = await openReceiver(204);
    const host = createHost(createFakeHost().log);
    const message = testMessage('alt_1', host.clock.nowMs());
    await createWebhookSink({ url, secret }, host)('alt_1', message);
    const [{ headers, body, url: path } = { headers: {}, body: '', url: '' }] = received;
    const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(secret).verify(body, fields)).toEqual(message);
    expect(fields).toMatchObject({ 'webhook-id': 'alt_1', 'content-type': 'application/json' });
    expect(path).toBe('/hook?a=b');
    const other = new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`);
    expect(() => other.verify(body, fields)).toThrow();
  });

  it.each([404, 500, 307])('was not taken when the answer is %i', async (status) => {
    const { received, url } = await openReceiver(status);
    const sink = createWebhookSink({ url, secret }, createFakeHost());
    await expect(sink('alt_1', testMessage('alt_1', 0))).rejects.toThrow(`answered ${status}`);
    expect(received).toHaveLength(1);
  });

  it('was not taken when nobody listens, or answers in time', async () => {
    const nobody = createWebhookSink({ url: 'http://127.0.0.1:1/', secret }, createFakeHost());
    await expect(nobody('alt_1', testMessage('alt_1', 0))).rejects.toThrow(/be reached: bad port/);
    const { received, url } = await openReceiver(null);
    const host: FakeHost = createFakeHost();
    const silent = createWebhookSink({ url, secret }, host)('alt_1', testMessage('alt_1', 0));
    const outcome = expect(silent).rejects.toThrow('did not answer in time');
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await host.advance(15_000);
    await outcome;
  });
});
