import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { describeError, exitCodeOf, stackOf } from '../../src/cli/exit.js';
import { MeterctlError } from '../../src/domain/error.js';

describe('exit codes', () => {
  it.each([
    ['internal', 1],
    ['invalid', 2],
    ['not_found', 4],
    ['unauthorized', 5],
    ['conflict', 6],
    ['unavailable', 7],
    ['interrupted', 130],
  ] as const)('%s is %d', (code, exitCode) => {
    expect(exitCodeOf(new MeterctlError(code, 'why'))).toBe(exitCode);
  });

  it.each([
    [new CommanderError(1, 'commander.x', "error: unknown option '--x'\n(Did you mean --y?)"), 'invalid'],
    [Object.assign(new Error('User force closed'), { name: 'ExitPromptError' }), 'interrupted'],
    [Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' }), 'unavailable'],
    [Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' }), 'unavailable'],
    [Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' }), 'unavailable'],
    [Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_WRITE' }), 'unavailable'],
    [Object.assign(new Error('a bad statement'), { code: 'SQLITE_ERROR' }), 'internal'],
    [Object.assign(new Error('odd'), { code: 'ERR_ODD' }), 'internal'],
    [new TypeError('x is not a function'), 'internal'],
    ['a text', 'internal'],
    [undefined, 'internal'],
  ])('%s is %s', (thrown, code) => {
    expect(describeError(thrown, 'meterctl').code).toBe(code);
  });

  it('keeps our own errors as they are, and tells causes in the stack', () => {
    const error = new MeterctlError('conflict', 'both', { cause: new Error('first', { cause: 'deep' }) });
    expect(describeError(error, 'meterctl')).toBe(error);
    expect(stackOf(error)).toMatch(/both[\s\S]*Caused by: Error: first[\s\S]*Caused by: deep/);
  });
});
