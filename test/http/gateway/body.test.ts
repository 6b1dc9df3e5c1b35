/** When a body's pieces are passed on. */

import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { lazyBody } from '../../../src/http/gateway/body.js';
import { eventually } from '../../support/eventually.js';

it('goes on only when what the upstream has said by then is heard', async () => {
  const req = new IncomingMessage(new Socket());
  const count = { bytes: 0, ended: false };
  const waiting: (() => void)[] = [];
  const heard = () => new Promise<void>((resolve) => waiting.push(resolve));
  const body = lazyBody(req, new ServerResponse(req), count, { bytesMax: 100, heard });
  // Such a body is an async iterable, whatever the type says that undici has for it.
  const pieces = (body as unknown as AsyncIterable<Buffer>)[Symbol.asyncIterator]();

  req.push('one');
  expect((await pieces.next()).value?.toString()).toBe('one');
  expect(waiting).toHaveLength(0);

  const second = pieces.next();
  req.push('second');
  await eventually(async () => expect(waiting).toHaveLength(1));
  expect(count).toEqual({ bytes: 3, ended: false });
  waiting[0]?.();
  expect((await second).value?.toString()).toBe('second');

  req.push(null);
  expect((await pieces.next()).done).toBe(true);
  expect(count).toEqual({ bytes: 9, ended: true });
});
