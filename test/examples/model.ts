/** What the examples sell: a model that answers what it was asked, a word a token. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Answers at once. Throws for what is no text. */
export async function complete(prompt: unknown): Promise<{ text: string; tokens: number }> {
  if (typeof prompt !== 'string') throw new TypeError('a prompt is text');
  const words = prompt.toUpperCase().split(' ');
  return { text: words.join(' '), tokens: words.length };
}

/** Answers word by word. */
export async function* completeSlowly(prompt: string): AsyncGenerator<string> {
  const { text } = await complete(prompt);
  for (const word of text.split(' ')) {
    await sleep(20);
    yield `${word}\n`;
  }
}
