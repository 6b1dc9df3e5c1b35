/** Small text files: read if they are there, replaced whole or not at all. */

import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { MeterctlError } from '../domain/error.js';

/** The text of a file; `undefined` when there is none. Throws `unavailable`. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Whatever fs throws is one of its own errors.
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new MeterctlError('unavailable', `${path} cannot be read: ${message}.`, { cause: error });
  }
}

/**
 * Writes beside the file, syncs, and renames: whoever reads, also after a crash, sees the old text or the new one. A
 * symbolic link keeps pointing to its file. Throws `unavailable`.
 */
export function replaceTextFile(path: string, text: string, mode: number): void {
  const target = targetOf(path);
  const next = `${target}.new`;
  try {
    rmSync(next, { force: true });
    writeFileSync(next, text, { mode, flag: 'wx', flush: true });
    renameSync(next, target);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MeterctlError('unavailable', `${path} cannot be written: ${reason}.`, {
      hint: 'Check that the folder exists, is yours to write and has space.',
      cause: error,
    });
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
