/** `meterctl demo`: the whole loop in one go, on the embedded Stripe, in a folder that is thrown away. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { playDemo } from '../demo/story.js';

interface Options {
  keep?: true;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.option('--keep', 'go on serving afterwards, until Ctrl-C').action(run(demo));
  addExamples(command, [
    ['meterctl demo', 'from an empty folder to an invoice, in seconds'],
    ['meterctl demo --keep', 'and then try the API and the pages yourself'],
  ]);
}

async function demo(context: Context, options: Options): Promise<undefined> {
  const { paint } = context;
  const stopped = options.keep ? context.untilStopped() : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'meterctl-demo-'));
  try {
    context.note(
      `An API that earns money, end to end. Stripe is the embedded one: nothing leaves this machine.\n`,
    );
    let number = 0;
    const story = await playDemo(folder, await context.machine(), (title, lines) => {
      number += 1;
      context.note(`${paint.strong(`${number}. ${title}`)}\n${lines.map((line) => `   ${line}\n`).join('')}`);
    });
    try {
      const { url, customer, key, calls, invoice } = story;
      context.show({
        json: () => ({ url, customer, key, calls, invoice }),
        text: () => closing(options.keep === true, url, key),
      });
      await stopped;
    } finally {
      await story.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function closing(keep: boolean, url: string, key: string): string {
  if (keep) {
    return `It goes on serving until Ctrl-C. Try it:\n  curl -H "Authorization: Bearer ${key}" ${url}/api\n  curl -X POST ${url}/checkout`;
  }
  return 'That was all of it. Now your own:\n  npx meterctl init\n  npx meterctl serve';
}
