/** Finds secrets in everything that a Git repository remembers: every version of every file, and every message. */

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { MeterctlError } from '../../domain/error.js';
import type { Scanned } from './files.js';
import { readObjects } from './object-stream.js';
import { createSecretFinder, type Sighting } from './secret-finder.js';

const run = promisify(execFile);

/** A secret in the history. */
export interface HistorySighting extends Sighting {
  /** Where the file lay; `undefined` for the message of a commit or tag. */
  path: string | undefined;
  /** The version of the file, or the commit or tag itself. */
  object: string;
}

/**
 * The folder of the repository that this folder lies in, or that it is itself, as a bare one; `undefined` when there is none.
 * Throws `unavailable` when Git does not open the one that there is: it may belong to somebody else.
 */
export async function findRepository(folder: string): Promise<string | undefined> {
  const ask = async (question: string) => {
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', question]);
    return stdout.trim();
  };
  try {
    if ((await ask('--is-inside-git-dir')) === 'true') return await ask('--absolute-git-dir');
    return await ask('--show-toplevel');
  } catch (error) {
    if (!liesInRepository(folder)) return undefined;
    throw new MeterctlError('unavailable', 'Git does not open the repository here.', {
      hint: 'See what git status says, or leave the history out with --no-history.',
      cause: error,
    });
  }
}

/** By its looks: Git says the same of a folder without a repository and of one that it does not open. */
function liesInRepository(folder: string): boolean {
  if (existsSync(join(folder, '.git'))) return true;
  if (['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)))) return true;
  const above = dirname(folder);
  return above !== folder && liesInRepository(above);
}

/** Looks through all that can be reached from any reference or the log of one, or is staged, as far as it concerns the path. */
export async function* scanHistory(
  repository: string,
  path: string,
  { sizeMax, scanned }: { sizeMax: number; scanned: Scanned },
): AsyncGenerator<HistorySighting> {
  const below = relative(repository, path);
  const objects = listObjects(repository, below, sizeMax, scanned);
  let finder = createSecretFinder();
  for await (const { header, first, bytes } of readObjects(catFile(repository, objects))) {
    if (first) {
      scanned.objects += 1;
      finder = createSecretFinder();
    }
    const [object = '', , ...words] = header.split(' ');
    const name = words.join(' ');
    for (const sighting of finder.feed(bytes)) {
      yield { ...sighting, object, path: name === '' ? undefined : join(repository, name) };
    }
  }
}

/** The commit that brought the version in, the first one if it came more than once. */
export async function findCommit(repository: string, object: string): Promise<string | undefined> {
  const args = ['-C', repository, 'log', '--all', '--format=%H', `--find-object=${object}`];
  const { stdout } = await run('git', args).catch(() => ({ stdout: '' }));
  return stdout.trim().split('\n').at(-1) || undefined;
}

/** Lines for `cat-file`: the name of the object, and the path. */
async function* listObjects(
  repository: string,
  below: string,
  sizeMax: number,
  scanned: Scanned,
): AsyncGenerator<string> {
  // The full history: of a folder, Git leaves out branches that brought nothing into what was merged.
  const everything = ['rev-list', '--objects', '--all', '--reflog', '--full-history'];
  // What is staged is listed wherever it lies, so only the scan of a whole repository can have it.
  const part = below === '' ? ['--indexed-objects'] : ['--', below];
  const names = spawn('git', ['-C', repository, '--literal-pathspecs', ...everything, ...part], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const format = '--batch-check=%(objectname) %(objecttype) %(objectsize) %(rest)';
  const sizes = spawn('git', ['-C', repository, 'cat-file', '--buffer', format], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = Promise.all([endOf(names), endOf(sizes), pipeline(names.stdout, sizes.stdin)]);
  // It is waited for below, when everything that could be read has been.
  ended.catch(() => undefined);
  for await (const line of createInterface({ input: sizes.stdout })) {
    const [object = '', type, size, ...words] = line.split(' ');
    if (type !== 'blob' && type !== 'commit' && type !== 'tag') continue;
    // What stands there for a tag is its own name.
    const path = type === 'blob' ? words.join(' ') : '';
    if (Number(size) > sizeMax) scanned.skipped += 1;
    else yield `${object} ${path}\n`;
  }
  await ended;
}

/** Git holds its breath while its output is not read, so nothing piles up. */
async function* catFile(repository: string, objects: AsyncIterable<string>): AsyncGenerator<Buffer> {
  const format = '--batch=%(objectname) %(objectsize) %(rest)';
  const git = spawn('git', ['-C', repository, 'cat-file', '--buffer', format], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = Promise.all([endOf(git), pipeline(Readable.from(objects), git.stdin)]);
  ended.catch(() => git.kill());
  try {
    yield* git.stdout;
    await ended;
  } finally {
    git.kill();
  }
}

async function endOf(git: ReturnType<typeof spawn>): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    git.once('error', reject);
    git.once('close', resolve);
  });
  if (code === 0) return;
  throw new MeterctlError('unavailable', 'Git could not read the whole history.', {
    hint: 'See what git fsck says, or leave the history out with --no-history.',
  });
}
