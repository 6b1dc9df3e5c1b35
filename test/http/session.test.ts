/** Sessions: half an hour that moves on, nothing forged, nothing that outlives its end. */

import { describe, expect, it } from 'vitest';
import { createSessions, sessionMs } from '../../src/http/session.js';
import { createFakeHost } from '../support/host.js';

function setUp() {
  const host = createFakeHost();
  return { host, sessions: createSessions(host) };
}

describe('a session', () => {
  it('lives half an hour, and each seal begins a new one', async () => {
    const { host, sessions } = setUp();
    const session = sessions.open('key_1');
    const first = sessions.seal(session);
    await host.advance(sessionMs - 1);
    expect(sessions.read(first)).toEqual(session);
    const second = sessions.seal(session);
    await host.advance(1);
    expect(sessions.read(first)).toBeUndefined();
    await host.advance(sessionMs - 2);
    expect(sessions.read(second)).toEqual(session);
    await host.advance(1);
    expect(sessions.read(second)).toBeUndefined();
  });

  it('cannot be made up or altered', () => {
    const { sessions } = setUp();
    const sealed = sessions.seal(sessions.open('key_1'));
    const [keyId, nonce, ends, signature] = sealed.split('.');
    const forged = [
      '',
      '....',
      sealed.slice(0, -1),
      `${sealed}A`,
      ['key_2', nonce, ends, signature].join('.'),
      [keyId, nonce, Number(ends) + 1, signature].join('.'),
      [keyId, nonce, ends, ''].join('.'),
      [keyId, nonce, ends, sessions.formToken(sessions.open('key_1'))].join('.'),
      createSessions(createFakeHost({ seed: 2 })).seal({ keyId: 'key_1', nonce: 'abc' }),
    ];
    for (const text of forged) expect(sessions.read(text), text).toBeUndefined();
    expect(sessions.read(sealed)?.keyId).toBe('key_1');
  });

  it('stays ended for whoever has copied its cookie', () => {
    const { sessions } = setUp();
    const session = sessions.open('key_1');
    const sealed = sessions.seal(session);
    const other = sessions.seal(sessions.open('key_1'));
    sessions.close(session);
    expect(sessions.read(sealed)).toBeUndefined();
    expect(sessions.read(other)).toBeDefined();
  });

  it('does not last longer when the clock is set back', () => {
    const { host, sessions } = setUp();
    const sealed = sessions.seal(sessions.open('key_1'));
    host.jump(host.clock.nowMs() - 3_600_000);
    expect(sessions.read(sealed)).toBeUndefined();
  });

  it('has a form token that fits no other session', () => {
    const { sessions } = setUp();
    const [mine, theirs] = [sessions.open('key_1'), sessions.open('key_1')];
    expect(sessions.isFormToken(mine, sessions.formToken(mine))).toBe(true);
    for (const token of [sessions.formToken(theirs), '', undefined, ['a'], sessions.seal(mine)])
      expect(sessions.isFormToken(mine, token)).toBe(false);
  });
});
