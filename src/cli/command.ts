/** What the file of a command looks like: it declares its options and hands its work to a runner. */

import type { Command } from 'commander';
import type { Context } from './context.js';

/** The work of a command. A number is the exit code; nothing means 0. */
export type Work<Args extends unknown[]> = (context: Context, ...args: Args) => Promise<number | undefined>;

/**
 * Turns work into an action of commander, which calls it with the arguments in order and then the options. Commander
 * cannot know their types: the work's signature says what its own declaration made of them.
 */
export type Runner = <Args extends unknown[]>(work: Work<Args>) => (...args: Args) => Promise<void>;

/** The one export of a command's file. */
export type Declare = (command: Command, run: Runner) => void;

/** A command line that works as it stands, and what it does. */
export type Example = readonly [line: string, meaning: string];

/** Shows examples under the help. */
export function addExamples(command: Command, examples: readonly Example[]): void {
  const lines = examples.map(([line, meaning]) => `  # ${meaning}\n  $ ${line}\n`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
