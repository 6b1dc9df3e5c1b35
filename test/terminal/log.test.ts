import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/terminal/log.js';
import { createMemoryTerminal } from '../support/memory-terminal.js';

const nowMs = () => Date.parse('2026-11-22T08:00:00Z');

describe('the log', () => {
  it('is one JSON object a line for programs', () => {
    const terminal = createMemoryTerminal();
    const log = createLog({ screen: terminal.stderr, level: 'info', nowMs });
    log.debug('not shown');
    log.info('listening', { port: 8080 });
    log.error('failed', { error: new Error('why', { cause: 'because' }) });
    const [first, second, ...rest] = terminal.err().trimEnd().split('\n');
    expect(rest).toEqual([]);
    expect(JSON.parse(first!)).toEqual({
      time: '2026-11-22T08:00:00.000Z',
      level: 'info',
      message: 'listening',
      port: 8080,
    });
    expect(JSON.parse(second!).error).toMatchObject({ message: 'why', cause: 'because' });
  });

  it('is a line for people on a TTY', () => {
    const terminal = createMemoryTerminal({ tty: true });
    createLog({ screen: terminal.stderr, level: 'debug', nowMs }).warn('slow\n', {
      route: 'GET /api',
      ms: 12,
    });
    expect(terminal.err()).toBe('08:00:00 warn  slow  route=GET /api ms=12\n');
    expect(terminal.out()).toBe('');
  });
});
