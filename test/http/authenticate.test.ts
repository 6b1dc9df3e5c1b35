import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KeyChange } from '../../src/domain/key.js';
import { authenticate } from '../../src/http/authenticate.js';
import { createKeyLookup } from '../../src/keys/key-lookup.js';
import { createFakeHost } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const act = { actor: 'system', atMs: 0 } as const;

/** A server that answers with the id of the key, or with the refusal. */
async function open(
  change: KeyChange,
  { scope, trustProxy = 0 }: { scope?: string; trustProxy?: number } = {},
) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const { secret, key } = await addSubscriber(store, host);
  await store.changeKey(key.id, change, act);
  const deps = { store, clock: host.clock, log: host.log, keyPrefix: 'mk', keyPepper: null };
  const keys = createKeyLookup(deps);
  const app = express().set('trust proxy', trustProxy);
  app.get('/', async (req, res) => {
    const caller = await authenticate(req, { keys, queryParameter: true }, host.clock.nowMs(), scope);
    res.json('refused' in caller ? caller.refused : caller.key.id);
  });
  const server = app.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const call = async (headers: Record<string, string> = { authorization: `Bearer ${secret}` }) =>
    (await fetch(`http://127.0.0.1:${port}/`, { headers })).json();
  return { call, secret, key, store, keys, host };
}

describe('authentication', () => {
  it('takes a key by its scheme, whatever its case, and by X-API-Key', async () => {
    const { call, key, secret } = await open({});
    expect(await call({ authorization: `bearer ${secret}` })).toBe(key.id);
    expect(await call({ 'x-api-key': secret })).toBe(key.id);
    expect(await call({ authorization: `Basic ${secret}` })).toBe('missing_api_key');
    expect(await call({})).toBe('missing_api_key');
    expect(await call({ 'x-api-key': `${secret}x` })).toBe('invalid_api_key');
  });

  it.each([
    [[], true],
    [['read:users'], true],
    [['read:*'], true],
    [['*'], true],
    [['write', 'read:users'], true],
    [['read'], false],
    [['read:users:all'], false],
    [['write:*'], false],
  ])('lets a key with the scopes %j read users: %s', async (scopes, allowed) => {
    const { call, key } = await open({ scopes }, { scope: 'read:users' });
    expect(await call()).toBe(allowed ? key.id : 'insufficient_scope');
  });

  it.each([
    [['127.0.0.0/8'], true],
    [['127.0.0.1/32'], true],
    [['192.0.2.0/24', '2001:db8::/32'], false],
  ])('lets a key for %j be used from 127.0.0.1: %s', async (ipAllow, allowed) => {
    const { call, key } = await open({ ipAllow });
    expect(await call()).toBe(allowed ? key.id : 'ip_not_allowed');
  });

  it('believes X-Forwarded-For only as far as it is told to', async () => {
    const from = async (trustProxy: number, forwarded: string) => {
      const { call, key, secret } = await open({ ipAllow: ['192.0.2.0/24'] }, { trustProxy });
      return (await call({ 'x-api-key': secret, 'x-forwarded-for': forwarded })) === key.id;
    };
    expect(await from(0, '192.0.2.1')).toBe(false);
    expect(await from(1, '192.0.2.1')).toBe(true);
    expect(await from(1, '192.0.2.1, 198.51.100.1')).toBe(false);
    expect(await from(2, '192.0.2.1, 198.51.100.1')).toBe(true);
  });

  it('tells what became of a key before where it may be used', async () => {
    const { call, host } = await open({ ipAllow: ['192.0.2.0/24'], expiresAtMs: 1_793_000_000_000 });
    host.jump(1_792_999_999_999);
    expect(await call()).toBe('ip_not_allowed');
    host.jump(1_793_000_000_000);
    expect(await call()).toBe('expired_api_key');
  });
});
