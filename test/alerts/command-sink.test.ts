import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testMessage } from '../../src/alerts/alert-message.js';
import { createCommandSink } from '../../src/alerts/command-sink.js';
import { createHost } from '../../src/host.js';
import type { Clock } from '../../src/lib/host.js';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

const message = testMessage('alt_1', 0);
const { clock } = createHost(createFakeHost().log);

function node(script: string, ...args: string[]): string[] {
  return [process.execPath, '-e', script, ...args];
}

describe('a command hook', () => {
  it('gets its arguments as they are and the message on stdin', async () => {
    const path = join(createTestFolder(), 'told');
    const script = `require('fs').writeFileSync(${JSON.stringify(path)}, process.argv[1] + require('fs').readFileSync(0))`;
    await createCommandSink(node(script, '$HOME; `id` "x'), clock)('alt_1', message);
    expect(readFileSync(path, 'utf8')).toBe(
      `$HOME; \`id\` "x${JSON.stringify({ id: 'alt_1', ...message })}\n`,
    );
  });

  it('need not read', async () => {
    await createCommandSink(node(''), clock)('alt_1', message);
  });

  it('says why it did not take the message', async () => {
    const failing = createCommandSink(node('console.error("no such channel"); process.exit(4)'), clock);
    await expect(failing('alt_1', message)).rejects.toThrow(/ended with 4: no such channel/);
  });

  it('that cannot be run leaves nothing to wait for', async () => {
    let waits = 0;
    const sleep: Clock['sleep'] = async (ms, signal) => {
      waits += 1;
      await clock.sleep(ms, signal);
      waits -= 1;
    };
    const missing = createCommandSink(['/does/not/exist'], { ...clock, sleep });
    await expect(missing('alt_1', message)).rejects.toThrow(/cannot be run/);
    await eventually(async () => expect(waits).toBe(0));
  });

  it('is not waited for longer because of what it leaves running', async () => {
    const shell = (script: string) => createCommandSink(['sh', '-c', script], clock, 1_000);
    const startedMs = performance.now();
    await shell('sleep 15 & exit 0')('alt_1', message);
    await expect(shell('sleep 15 & echo no >&2; exit 1')('alt_1', message)).rejects.toThrow(/with 1: no$/);
    await expect(shell('sleep 15; true')('alt_1', message)).rejects.toThrow(/was ended by SIGKILL/);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('is ended soon when the daemon stops', async () => {
    const closing = new AbortController();
    const startedMs = performance.now();
    const slow = createCommandSink(node('setTimeout(() => {}, 60000)'), clock)(
      'alt_1',
      message,
      closing.signal,
    );
    closing.abort();
    await expect(slow).rejects.toThrow(/was ended by SIGKILL/);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('is ended when it takes too long', async () => {
    const slow = createCommandSink(node('setTimeout(() => {}, 60000)'), clock, 200);
    await expect(slow('alt_1', message)).rejects.toThrow(/was ended by SIGKILL/);
  });
});
