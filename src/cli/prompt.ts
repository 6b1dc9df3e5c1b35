/** Questions to a person, on stderr so that stdout stays clean; the one home of inquirer. */

import { createPromptModule } from 'inquirer';
import type { Terminal } from '../terminal/terminal.js';

/** A question for one line of text. */
export interface TextQuestion {
  message: string;
  default?: string;
  /** `true`, or what is wrong with the answer. */
  validate(answer: string): true | string;
}

/** Asks. Ctrl-C rejects with inquirer's ExitPromptError, which ends the program with 130. */
export interface Prompt {
  text(question: TextQuestion): Promise<string>;
  /** A secret, which is not echoed. */
  hidden(message: string): Promise<string>;
  choice(message: string, choices: readonly string[], initial: string): Promise<string>;
  confirm(message: string, initial: boolean): Promise<boolean>;
}

/** A prompt on the terminal's streams. */
export function createPrompt(terminal: Terminal): Prompt {
  const ask = createPromptModule({ input: terminal.stdin, output: terminal.stderr.stream });
  return {
    async text(question) {
      const { answer } = await ask([{ type: 'input', name: 'answer', ...question }]);
      return answer.trim();
    },
    async hidden(message) {
      const { answer } = await ask([{ type: 'password', name: 'answer', message, mask: '*' }]);
      return answer.trim();
    },
    async choice(message, choices, initial) {
      const options = choices.map((value) => ({ value, name: value }));
      const { answer } = await ask([
        { type: 'select', name: 'answer', message, choices: options, default: initial },
      ]);
      return answer;
    },
    async confirm(message, initial) {
      const { answer } = await ask([{ type: 'confirm', name: 'answer', message, default: initial }]);
      return answer;
    },
  };
}
