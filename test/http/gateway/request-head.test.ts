/** What becomes of single fields of a request on their way to the upstream. */

import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type Introduction, requestHeaders } from '../../../src/http/gateway/request-head.js';

const introduction: Introduction = {
  requestId: 'req_1',
  scheme: 'http',
  address: '127.0.0.1',
  ownBearer: true,
  secret: undefined,
  plain: false,
};

it('leaves alone what a short key from elsewhere happens to be a part of', () => {
  const req = new IncomingMessage(new Socket());
  req.rawHeaders = ['Content-Length', '1234567890', 'Cookie', 'key=legacy-key-of-16'];
  const passed = (secret: string) => requestHeaders(req, { ...introduction, secret }).slice(0, 4);
  expect(passed('12345678')).toEqual(req.rawHeaders);
  expect(passed('legacy-key-of-16')).toEqual(['Content-Length', '1234567890', 'Cookie', 'key=']);
});
