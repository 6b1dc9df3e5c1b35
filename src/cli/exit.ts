/** Errors on their way out: one table from code to exit code, and what a person is told. */

import { CommanderError } from 'commander';
import { nearest } from '../config/spelling.js';
import { type ErrorCode, MeterctlError } from '../domain/error.js';

/** Exit code of a check that found something: drift, an invalid key. */
export const exitFound = 3;

/** Exit code where something that was named does not exist, but the rest was done. */
export const exitNotFound = 4;

/** Exit code where Stripe refused the key, or it lacks a permission, and so not all was done. */
export const exitUnauthorized = 5;

/** Exit code where Stripe did not answer or did not take everything now, so that some of it is to be tried again. */
export const exitUnavailable = 7;

const exitCodes: Record<ErrorCode, number> = {
  internal: 1,
  invalid: 2,
  not_found: exitNotFound,
  unauthorized: exitUnauthorized,
  conflict: 6,
  unavailable: exitUnavailable,
  interrupted: 130,
};

/** What the operating system refuses while files and sockets are opened; anything else it says is a defect here. */
const systemErrors = new Set(
  'EACCES EPERM EROFS ENOSPC EDQUOT EMFILE EIO EISDIR ENOTDIR EADDRINUSE EADDRNOTAVAIL ECONNREFUSED'.split(
    ' ',
  ),
);

/** The same, where SQLite says it of a file that is not the ledger, which has words of its own for them. */
const databaseErrors = /^SQLITE_(FULL|CANTOPEN|READONLY|PERM|IOERR|BUSY)/;

/** The exit code of a failure. */
export function exitCodeOf(error: MeterctlError): number {
  return exitCodes[error.code];
}

/** Makes one of our errors of whatever was thrown. */
export function describeError(error: unknown, commandPath: string): MeterctlError {
  if (error instanceof MeterctlError) return error;
  if (error instanceof CommanderError) return usageError(error, commandPath);
  if (!(error instanceof Error)) return unexpected(String(error), error);
  // The prompts of inquirer reject with this when Ctrl-C is pressed.
  if (error.name === 'ExitPromptError')
    return new MeterctlError('interrupted', 'Interrupted; nothing more was done.');
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && (systemErrors.has(code) || databaseErrors.test(code))) {
    return new MeterctlError('unavailable', `The system refused: ${error.message}.`, { cause: error });
  }
  return unexpected(error.message, error);
}

/** What commander says of bad usage, in our words: its suggestion becomes the hint. */
function usageError(error: CommanderError, commandPath: string): MeterctlError {
  const [, said = '', suggestion] =
    /^(?:error: )?(.*?)(?:\n\((Did you mean .*)\))?$/s.exec(error.message) ?? [];
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
  return new MeterctlError('invalid', /[.?]$/.test(sentence) ? sentence : `${sentence}.`, {
    hint: suggestion ?? `See ${commandPath} --help`,
  });
}

/** The error for a word that is no command, or for none where one is needed. */
export function unknownCommand(
  path: string,
  word: string | undefined,
  names: readonly string[],
): MeterctlError {
  const help = `See ${path} --help`;
  if (word === undefined) {
    return new MeterctlError('invalid', `${path} needs a command: ${names.join(', ')}.`, { hint: help });
  }
  const likely = nearest(word, names);
  return new MeterctlError('invalid', `There is no command "${path} ${word}".`, {
    hint: likely === undefined ? help : `Did you mean ${path} ${likely}?`,
  });
}

/** The stack of what was thrown, and those of its causes. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? thrown.message;
  return thrown.cause === undefined ? own : `${own}\nCaused by: ${stackOf(thrown.cause)}`;
}

function unexpected(message: string, cause: unknown): MeterctlError {
  return new MeterctlError('internal', `Something went wrong that should not: ${message}`, {
    hint: 'Run it again with --verbose for the details; they belong into a bug report.',
    cause,
  });
}
