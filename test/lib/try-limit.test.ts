/** The limit on tries: a burst, then one at a time, each name for itself, whatever the clock does. */

import { describe, expect, it } from 'vitest';
import { createTryLimit } from '../../src/lib/try-limit.js';
import { createFakeHost } from '../support/host.js';

function setUp() {
  const host = createFakeHost();
  const limit = createTryLimit({ clock: host.clock, burst: 3, refillMs: 1_000, namesMax: 10 });
  /** So many tries until one has to wait. */
  function tries(name: string): number {
    let count = 0;
    for (; limit.waitMs(name) === 0; count += 1) limit.note(name);
    return count;
  }
  return { host, limit, tries };
}

describe('a limit on tries', () => {
  it('allows a burst, and then as many as time has brought back', async () => {
    const { host, limit, tries } = setUp();
    expect(tries('a')).toBe(3);
    expect(limit.waitMs('a')).toBe(1_000);
    await host.advance(999);
    expect(tries('a')).toBe(0);
    await host.advance(1);
    expect(tries('a')).toBe(1);
    await host.advance(60_000);
    expect(tries('a')).toBe(3);
  });

  it('counts each name for itself', () => {
    const { tries } = setUp();
    expect(tries('a')).toBe(3);
    expect(tries('b')).toBe(3);
  });

  it('locks nobody out when the clock is set back', async () => {
    const { host, limit, tries } = setUp();
    tries('a');
    host.jump(host.clock.nowMs() - 86_400_000);
    expect(limit.waitMs('a')).toBeLessThanOrEqual(3_000);
  });
});
