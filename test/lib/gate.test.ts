import { describe, expect, it } from 'vitest';
import { createGate } from '../../src/lib/gate.js';

describe('a gate', () => {
  it('lets so many run and so many wait, in order, and turns the rest away', async () => {
    const gate = createGate({ runningMax: 2, waitingMax: 1 });
    const ends: (() => void)[] = [];
    const started: string[] = [];
    const task = (name: string) => () =>
      new Promise<string>((resolve) => {
        started.push(name);
        ends.push(() => resolve(name));
      });
    const [a, b, c] = [gate.pass(task('a')), gate.pass(task('b')), gate.pass(task('c'))];
    expect(gate.pass(task('d'))).toBeUndefined();
    expect(started).toEqual(['a', 'b']);
    ends[0]?.();
    expect(await a).toBe('a');
    await Promise.resolve();
    expect(started).toEqual(['a', 'b', 'c']);
    for (const end of ends) end();
    expect(await Promise.all([b, c])).toEqual(['b', 'c']);
    expect(await gate.pass(async () => 'e')).toBe('e');
  });

  it('is free again after a task that failed', async () => {
    const gate = createGate({ runningMax: 1, waitingMax: 0 });
    await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.pass(async () => 1)).toBe(1);
  });
});
