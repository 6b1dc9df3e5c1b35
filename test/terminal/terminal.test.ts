import { describe, expect, it } from 'vitest';
import { withoutColor } from '../../src/terminal/terminal.js';
import { createMemoryTerminal } from '../support/memory-terminal.js';

describe('the terminal', () => {
  it.each([
    [
      { tty: true, env: {} },
      { color: true, interactive: true },
    ],
    [
      { tty: true, env: { NO_COLOR: '1' } },
      { color: false, interactive: true },
    ],
    [
      { tty: true, env: { NO_COLOR: '' } },
      { color: true, interactive: true },
    ],
    [
      { tty: true, env: { TERM: 'dumb' } },
      { color: false, interactive: true },
    ],
    [
      { tty: true, env: { CI: 'true' } },
      { color: true, interactive: false },
    ],
    [
      { tty: false, env: {} },
      { color: false, interactive: false },
    ],
  ])('%j', (options, expected) => {
    const terminal = createMemoryTerminal(options);
    expect({ color: terminal.stdout.color, interactive: terminal.interactive }).toEqual(expected);
    expect(withoutColor(terminal).stdout.color).toBe(false);
  });
});
