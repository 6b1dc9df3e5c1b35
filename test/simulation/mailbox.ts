/** Stripe's messages on their way to the daemons: posted by the emulator, handed over when the dice say so. */

import type { Host } from '../../src/lib/host.js';
import type { Daemon } from './daemon.js';

interface Letter {
  body: Uint8Array;
  signature: string;
  reader: Daemon | undefined;
  answer(status: number): void;
  lose(): void;
}

/** Messages that wait for an answer. */
export interface Mailbox {
  /** Takes a message from the emulator, in place of the network. */
  readonly post: Host['fetch'];
  /** How many nobody has taken yet. */
  waiting(): number;
  /** How many have no answer yet. */
  unanswered(): number;
  /** Hands the message at this place among those that wait to a daemon. */
  deliver(index: number, daemon: Daemon): Promise<void>;
  /** A daemon died: whoever posted what it was reading gets no answer. */
  lose(daemon: Daemon): void;
  /** Nobody listens: whatever waits gets no answer. */
  loseAll(): void;
}

/** An empty mailbox. */
export function createMailbox(): Mailbox {
  let letters: Letter[] = [];
  const waiting = () => letters.filter((letter) => letter.reader === undefined);

  function take(letter: Letter): void {
    letters = letters.filter((other) => other !== letter);
  }

  return {
    post: (_, init) =>
      new Promise((resolve, reject) => {
        const letter: Letter = {
          body: new TextEncoder().encode(String(init?.body)),
          signature: new Headers(init?.headers).get('Stripe-Signature') ?? '',
          reader: undefined,
          answer(status) {
            take(letter);
            resolve(new Response(null, { status }));
          },
          lose() {
            take(letter);
            reject(new Error('The connection was reset.'));
          },
        };
        letters.push(letter);
        init?.signal?.addEventListener('abort', letter.lose);
      }),
    waiting: () => waiting().length,
    unanswered: () => letters.length,
    async deliver(index, daemon) {
      const letter = waiting()[index];
      if (!letter) return;
      letter.reader = daemon;
      try {
        const receipt = await daemon.inbox.receive(letter.body, letter.signature);
        letter.answer(receipt === 'first' || receipt === 'seen' ? 200 : 400);
      } catch (error) {
        letter.answer(500);
        throw error;
      }
    },
    lose(daemon) {
      for (const letter of letters.filter(({ reader }) => reader === daemon)) letter.lose();
    },
    loseAll() {
      for (const letter of waiting()) letter.lose();
    },
  };
}
