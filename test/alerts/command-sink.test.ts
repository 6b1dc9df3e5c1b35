import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testMessage } from '../../src/alerts/alert-message.js';
import { createCommandSink } from '../../src/alerts/command-sink.js';
import { createTestFolder } from '../support/folder.js';

const message = testMessage('alt_1', 0);

function node(script: string, ...args: string[]): string[] {
  return [process.execPath, '-e', script, ...args];
}

describe('a command hook', () => {
  it('gets its arguments as they are and the message on stdin', async () => {
    const path = join(createTestFolder(), 'told');
    const script = `require('fs').writeFileSync(${JSON.stringify(path)}, process.argv[1] + require('fs').readFileSync(0))`;
    await createCommandSink(node(script, '$HOME; `id` "x'))('alt_1', message);
    expect(readFileSync(path, 'utf8')).toBe(
      `$HOME; \`id\` "x${JSON.stringify({ id: 'alt_1', ...message })}\n`,
    );
  });

  it('need not read', async () => {
    await createCommandSink(node(''))('alt_1', message);
  });

  it('says why it did not take the message', async () => {
    const failing = createCommandSink(node('console.error("no such channel"); process.exit(4)'));
    await expect(failing('alt_1', message)).rejects.toThrow(/ended with 4: no such channel/);
    await expect(createCommandSink(['/does/not/exist'])('alt_1', message)).rejects.toThrow(/cannot be run/);
  });

  it('is ended when it takes too long', async () => {
    const slow = createCommandSink(node('setTimeout(() => {}, 60000)'), 200);
    await expect(slow('alt_1', message)).rejects.toThrow(/was ended by SIGKILL/);
  });
});
