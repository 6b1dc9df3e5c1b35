/** Finds secrets in the files of a folder. */

import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecretFinder, type Sighting } from './secret-finder.js';

/** A secret in a file. */
export interface FileSighting extends Sighting {
  path: string;
}

/** What was looked at. */
export interface Scanned {
  files: number;
  /** Versions of files, and messages of commits and tags, in the history. */
  objects: number;
  /** What was too large or could not be read. */
  skipped: number;
}

/** Read at a time. */
const pieceBytes = 256 * 1024;

/** Looks through a file, or a folder with all below it; links and Git's own folder are left out. */
export async function* scanFiles(
  path: string,
  { sizeMax, scanned }: { sizeMax: number; scanned: Scanned },
): AsyncGenerator<FileSighting> {
  for await (const file of filesBelow(path, scanned)) {
    const size = await lstat(file).then(
      (stats) => stats.size,
      () => Number.POSITIVE_INFINITY,
    );
    if (size > sizeMax) {
      scanned.skipped += 1;
      continue;
    }
    scanned.files += 1;
    yield* scanFile(file, scanned);
  }
}

async function* filesBelow(path: string, scanned: Scanned): AsyncGenerator<string> {
  // What is named must be there; what is below may go away meanwhile.
  const stats = await lstat(path);
  if (!stats.isDirectory()) {
    yield path;
    return;
  }
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (!entries) scanned.skipped += 1;
    for (const entry of entries ?? []) {
      const entryPath = join(folder, entry.name);
      if (entry.isDirectory() && entry.name !== '.git') folders.push(entryPath);
      else if (entry.isFile()) yield entryPath;
    }
  }
}

async function* scanFile(path: string, scanned: Scanned): AsyncGenerator<FileSighting> {
  const finder = createSecretFinder();
  try {
    for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) {
      for (const sighting of finder.feed(piece)) yield { ...sighting, path };
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    scanned.skipped += 1;
  }
}
