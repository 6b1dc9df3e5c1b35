/** Finds an operator's keys where they should not be: in files and in their history. */

import { Buffer } from 'node:buffer';
import { realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { ApiKey } from '../../domain/key.js';
import type { KeyStore } from '../../domain/key-store.js';
import { hashSecret, hintOf } from '../secret.js';
import { type Scanned, scanFiles } from './files.js';
import { findCommit, findRepository, type HistorySighting, scanHistory } from './history.js';

/** Where a key was seen. Never holds its secret. */
export interface Finding {
  /** Relative to the folder of the order; in full outside of it; `null` for the message of a commit or tag. */
  file: string | null;
  line: number;
  /** The commit that brought it in; `null` when it stands in a file as it is now. */
  commit: string | null;
  hint: string;
  /** The first half of its SHA-256: tells findings of one key apart from those of another. */
  fingerprint: string;
  /** The key, when it was issued here. */
  key: ApiKey | null;
}

/** What is scanned. */
export interface ScanOrder {
  /** A file or a folder, absolute. */
  path: string;
  /** The folder from which files are named. */
  from: string;
  history: boolean;
  /** Larger files are left out, in bytes. */
  sizeMax: number;
}

/** All that was found, in files first. */
export interface ScanResult {
  findings: Finding[];
  scanned: Scanned;
  /** Whether the path lies in a repository whose history was looked through. */
  history: boolean;
}

/** Scans. Without a store no finding can be told to be ours. Throws `unavailable` when Git fails. */
export async function scanForKeys(
  store: Pick<KeyStore, 'findKeyByHash'> | undefined,
  { history, sizeMax, ...order }: ScanOrder,
): Promise<ScanResult> {
  const scanned: Scanned = { files: 0, objects: 0, skipped: 0 };
  // Links on the way there are followed, as Git does.
  const [path, from] = [await realpath(order.path), await realpath(order.from)];
  const name = (file: string) => nameFrom(from, file);
  const known = new Map<string, ApiKey | null>();

  async function finding(secret: string, place: Pick<Finding, 'file' | 'line' | 'commit'>): Promise<Finding> {
    const hash = hashSecret(secret);
    const text = Buffer.from(hash).toString('hex');
    const key = known.get(text) ?? (await store?.findKeyByHash(hash))?.key ?? null;
    known.set(text, key);
    return { ...place, hint: hintOf(secret), fingerprint: text.slice(0, 32), key };
  }

  const findings: Finding[] = [];
  for await (const { secret, line, path: file } of scanFiles(path, { sizeMax, scanned })) {
    findings.push(await finding(secret, { file: name(file), line, commit: null }));
  }
  const folder = (await stat(path)).isDirectory() ? path : dirname(path);
  const repository = history ? await findRepository(folder) : undefined;
  if (repository === undefined) return { findings, scanned, history: false };
  const commits = new Map<string, string>();
  for await (const sighting of scanHistory(repository, path, { sizeMax, scanned })) {
    const commit = commits.get(sighting.object) ?? (await commitOf(repository, sighting));
    commits.set(sighting.object, commit);
    const file = sighting.path === undefined ? null : name(sighting.path);
    findings.push(await finding(sighting.secret, { file, line: sighting.line, commit }));
  }
  return { findings, scanned, history: true };
}

function nameFrom(folder: string, file: string): string {
  return file.startsWith(join(folder, sep)) ? relative(folder, file) : file;
}

/** A version that is staged, or that only the log of a reference reaches, is told by its own name. */
async function commitOf(repository: string, { path, object }: HistorySighting): Promise<string> {
  return path === undefined ? object : ((await findCommit(repository, object)) ?? object);
}
