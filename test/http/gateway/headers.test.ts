/** What of a request's head reaches the upstream, and what of an answer's head the client. */

import { describe, expect, it } from 'vitest';
import { bodyOf, openGateway, openRawUpstream, openUpstream, sendRaw } from './open-gateway.js';

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  names: string[];
  body: string;
}

function openEcho(): Promise<string> {
  return openUpstream(async (req, res) => {
    const body = (await bodyOf(req)).toString();
    const names = req.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, names, body }));
  });
}

describe('the head of a request', () => {
  it('goes on as it came, less the key, with who is calling', async () => {
    const upstream = await openEcho();
    const gateway = await openGateway(`${upstream}/v9`);
    const { host } = new URL(gateway.url);
    const answer = await fetch(`${gateway.url}/api/a%20b/c?x=1&apiKey=${gateway.key}&y=%2F&apiKey=2&z`, {
      method: 'PATCH',
      headers: {
        authorization: 'Basic dTpw',
        'x-api-key': gateway.key,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-mine': 'ä',
      },
      body: 'some text',
    });
    expect(answer.status).toBe(200);
    const { method, url, headers, body } = (await answer.json()) as Echo;
    expect({ method, url, body }).toEqual({
      method: 'PATCH',
      url: '/v9/api/a%20b/c?x=1&y=%2F&z',
      body: 'some text',
    });
    expect(headers).toMatchObject({
      host: new URL(upstream).host,
      authorization: 'Basic dTpw',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-mine': 'ä',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': host,
      forwarded: `for=127.0.0.1;host="${host}";proto=http`,
      'x-request-id': answer.headers.get('x-request-id'),
      'meterctl-customer': gateway.customerId,
      'meterctl-key-id': gateway.keyId,
    });
    expect(JSON.stringify(headers)).not.toContain(gateway.key);
  });

  it('takes nothing from outside that only the gateway may say, in no spelling', async () => {
    const gateway = await openGateway(await openEcho());
    const answer = await gateway.call('/api', {
      headers: {
        'meterctl-customer': 'cus_evil',
        meterctl_key_id: 'key_evil',
        'Meterctl-Other': 'evil',
        'x-forwarded-for': '6.6.6.6',
        x_forwarded_for: '6.6.6.6',
        'x-forwarded-port': '666',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-request-id': 'not harmless at all',
      },
    });
    const { headers } = (await answer.json()) as Echo;
    expect(JSON.stringify(headers)).not.toMatch(/evil|6\.6\.6\.6|666|harmless/);
    expect(headers['meterctl-customer']).toBe(gateway.customerId);
  });

  it('leaves behind what belongs to the connection, also what Connection names', async () => {
    const gateway = await openGateway(await openEcho());
    const { host } = new URL(gateway.url);
    const answer = await sendRaw(
      gateway.url,
      `GET /api HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${gateway.key}\r\nConnection: close, X-Hop, Host\r\n` +
        'X-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authorization: Basic eDp5\r\nTE: trailers\r\nX-End: 2\r\n\r\n',
    );
    const { names, headers } = JSON.parse(answer.slice(answer.indexOf('{'))) as Echo;
    expect(names).not.toContain('x-hop');
    expect(names).not.toContain('keep-alive');
    expect(names).not.toContain('proxy-authorization');
    expect(headers).toMatchObject({ 'x-end': '2', te: 'trailers', connection: 'keep-alive' });
    expect(names.filter((name) => name === 'host')).toHaveLength(1);
  });

  it('says nothing of trailers, which stay here, and are no fields of the head', async () => {
    const gateway = await openGateway(await openEcho());
    const answer = await sendRaw(
      gateway.url,
      `POST /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nConnection: close\r\nTrailer: X-Sum\r\n` +
        'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\nMeterctl-Customer: cus_evil\r\n\r\n',
    );
    const { names, headers, body } = JSON.parse(
      answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1),
    );
    expect([body, headers['meterctl-customer']]).toEqual(['hello', gateway.customerId]);
    expect(names).not.toContain('trailer');
    expect(names).not.toContain('x-sum');
  });

  it('strips a key of ours wherever it stands, and nothing else', async () => {
    const config = { auth: { keyPrefix: 'acme' }, routes: [{ path: '/free', free: true }] };
    const gateway = await openGateway(await openEcho(), config);
    expect(gateway.key).toMatch(/^acme_/);
    const bearer = await fetch(`${gateway.url}/api`, { headers: { authorization: `bearer ${gateway.key}` } });
    expect(((await bearer.json()) as Echo).names).not.toContain('authorization');
    const spelled = await gateway.call(`/api?api%4Bey=${gateway.key}&a=apiKey&b`);
    expect(((await spelled.json()) as Echo).url).toBe('/api?a=apiKey&b');
    const credentials = async (authorization: string, path: string) => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization } });
      return ((await answer.json()) as Echo).headers.authorization;
    };
    expect(await credentials(`Bearer ${gateway.key}`, '/free')).toBeUndefined();
    expect(await credentials('Bearer of-the-upstream', '/free')).toBe('Bearer of-the-upstream');
    const bare = await gateway.call('/api?&&=&%');
    expect(((await bare.json()) as Echo).url).toBe('/api?&&=&%');
  });

  it('strips the key from fields that tell where the caller comes from, or what he keeps', async () => {
    const gateway = await openGateway(await openEcho(), { routes: [{ path: '/free', free: true }] });
    const { key } = gateway;
    const other = `mk_test_${'x'.repeat(24)}_${'y'.repeat(6)}`;
    const passed = async (path: string, sent: Record<string, string>) => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: sent });
      const { headers } = (await answer.json()) as Echo;
      expect(JSON.stringify(headers)).not.toContain(key);
      return headers;
    };
    const page = 'http://x/api';
    expect((await passed(`/api?apiKey=${key}`, { referer: `${page}?apiKey=${key}` })).referer).toBe(page);
    expect(
      (await passed('/api', { 'x-api-key': key, referer: `${page}?a=1&api%4bey=${other}&b` })).referer,
    ).toBe(`${page}?a=1&b`);
    expect((await passed('/free', { referer: `${page}?apiKey=${key}` })).referer).toBe(page);
    const bearer = { authorization: `Bearer ${key}` };
    const cookie = `lang=de; key=${key}; theme=dark`;
    for (const path of ['/api', '/free']) {
      const headers = await passed(path, {
        ...bearer,
        cookie,
        referer: `${page}?next=%2F%3FapiKey%3D${key}`,
      });
      expect(headers.cookie).toBe('lang=de; key=; theme=dark');
    }
    expect((await passed('/api', { 'x-api-key': key, referer: `${page}?q=apiKey` })).referer).toBe(
      `${page}?q=apiKey`,
    );
  });
});

describe('the head of an answer', () => {
  it('comes as it was sent, less what is ours or the connection’s', async () => {
    const gateway = await openGateway(
      await openRawUpstream((socket) => {
        socket.once('data', () =>
          socket.end(
            'HTTP/1.1 203 Rather So\r\nX-One: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: close, X-Hop\r\n' +
              'X-Hop: 1\r\nMeterctl-Customer: cus_evil\r\nMeterctl-Units: 7\r\nX-Request-Id: theirs\r\n' +
              'Keep-Alive: timeout=9\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok',
          ),
        );
      }),
    );
    const answer = await gateway.call('/api');
    expect([answer.status, answer.statusText, await answer.text()]).toEqual([203, 'Rather So', 'ok']);
    const { headers } = answer;
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('x-one')).toBe('1');
    expect(headers.get('date')).toBe('Mon, 01 Jan 2024 00:00:00 GMT');
    expect(headers.get('content-length')).toBe('2');
    expect(headers.get('meterctl-units')).toBe('7');
    expect(headers.get('x-request-id')).not.toBe('theirs');
    expect([headers.get('x-hop'), headers.get('meterctl-customer')]).toEqual([null, null]);
    expect(await gateway.usage()).toEqual({ units: 7, requests: 1 });
  });

  it('bills answers below 400, at one unit or what the upstream says', async () => {
    const gateway = await openGateway(
      await openUpstream((req, res) => {
        const { status, units } = Object.fromEntries(new URL(req.url ?? '', 'http://x').searchParams);
        if (units !== undefined) res.setHeader('Meterctl-Units', units);
        res.statusCode = Number(status);
        res.end();
      }),
    );
    for (const [status, units, billed] of [
      [200, undefined, '1'],
      [204, '5', '5'],
      [304, '0', '0'],
      [302, '2', '2'],
      [400, '9', '0'],
      [503, undefined, '0'],
      [200, '-3', '1'],
      [200, '1.5', '1'],
      [200, 'many', '1'],
      [200, '9999999999999999', '1'],
    ] as const) {
      const said = units === undefined ? '' : `&units=${units}`;
      const answer = await gateway.call(`/api?status=${status}${said}`, { redirect: 'manual' });
      expect([status, units, answer.headers.get('meterctl-units')]).toEqual([status, units, billed]);
    }
    expect(await gateway.usage()).toEqual({ units: 12, requests: 8 });
    const told = gateway.logged.filter(({ message }) => message.includes('no usable units'));
    expect(told).toHaveLength(4);
  });
});
