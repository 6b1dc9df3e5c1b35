import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanForKeys } from '../../../src/keys/scan/scan.js';
import { mintSecret } from '../../../src/keys/secret.js';
import { createTestFolder } from '../../support/folder.js';
import { createFakeHost } from '../../support/host.js';
import { addSubscriber, openTestStore } from '../../support/store.js';

const sizeMax = 1024 * 1024;

function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', folder, ...identity, ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
}

async function open() {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const { secret, key } = await addSubscriber(store, host);
  const folder = createTestFolder();
  const stranger = mintSecret('mk_live_', host.random).secret;
  const scan = (order: { path?: string; history?: boolean; sizeMax?: number } = {}) =>
    scanForKeys(store, { path: folder, from: folder, history: true, sizeMax, ...order });
  return { folder, store, secret, key, stranger, scan };
}

describe('a scan', () => {
  it('tells own keys from others, and leaves out links, binary and large files', async () => {
    const { folder, secret, key, stranger, scan } = await open();
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'a.ts'), `\nconst key = '${secret}';\n`);
    writeFileSync(join(folder, 'b.env'), `KEY=${stranger}`);
    writeFileSync(join(folder, 'binary'), `\0${secret}`);
    writeFileSync(join(folder, 'large'), `${' '.repeat(2000)}${secret}`);
    symlinkSync(join(folder, 'b.env'), join(folder, 'link'));
    const { findings, scanned, history } = await scan({ sizeMax: 1000 });
    expect(history).toBe(false);
    expect(scanned).toEqual({ files: 3, objects: 0, skipped: 1 });
    expect(findings.sort((a, b) => a.line - b.line)).toEqual([
      {
        file: 'b.env',
        line: 1,
        commit: null,
        hint: expect.stringMatching(/^mk_live_…/),
        key: null,
        fingerprint: expect.any(String),
      },
      {
        file: join('src', 'a.ts'),
        line: 2,
        commit: null,
        hint: key.hint,
        key,
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
    expect(JSON.stringify(findings)).not.toContain(secret);
    expect((await scan({ path: join(folder, 'large') })).findings).toMatchObject([
      { line: 1, key: { id: key.id } },
    ]);
  });

  it('finds what Git remembers: removed files, renamed ones, messages, dropped branches', async () => {
    const { folder, secret, key, stranger, scan } = await open();
    git(folder, 'init', '-q', '-b', 'main');
    writeFileSync(join(folder, 'old name.txt'), `one\ntwo ${secret}\n`);
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'first');
    const first = git(folder, 'rev-parse', 'HEAD');
    renameSync(join(folder, 'old name.txt'), join(folder, 'new.txt'));
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', `use ${stranger}`);
    const second = git(folder, 'rev-parse', 'HEAD');
    git(folder, 'rm', '-q', 'new.txt');
    git(folder, 'commit', '-qm', 'remove it');
    const { findings, history, scanned } = await scan();
    expect(history).toBe(true);
    expect(scanned.files).toBe(0);
    expect(findings).toHaveLength(2);
    expect(findings).toContainEqual(
      expect.objectContaining({
        file: 'old name.txt',
        line: 2,
        commit: first,
        key: expect.objectContaining({ id: key.id }),
      }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ file: null, commit: second, key: null }));
    expect((await scan({ history: false })).findings).toEqual([]);
    git(folder, 'reset', '-q', '--hard', first);
    git(folder, 'commit', '-q', '--amend', '-m', 'anew');
    rmSync(join(folder, 'old name.txt'));
    expect((await scan()).findings.map(({ file }) => file).sort()).toEqual([null, 'old name.txt'].sort());
  });

  it('tells of the message of a tag as of that of a commit: it stands in no file', async () => {
    const { folder, secret, scan } = await open();
    git(folder, 'init', '-q');
    git(folder, 'commit', '-q', '--allow-empty', '-m', 'one');
    git(folder, 'tag', '-a', 'v1', '-m', `use ${secret}`);
    const tag = git(folder, 'rev-parse', 'v1');
    expect((await scan()).findings).toMatchObject([{ file: null, commit: tag }]);
  });

  it('keeps to the folder that is named, also in the history', async () => {
    const { folder, secret, stranger, scan } = await open();
    git(folder, 'init', '-q');
    for (const name of ['inside', 'outside']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'outside', 'a'), secret);
    writeFileSync(join(folder, 'inside', 'b'), stranger);
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'both');
    const { findings } = await scan({ path: join(folder, 'inside') });
    const name = join('inside', 'b');
    expect(findings.map(({ file, commit }) => [file, commit !== null])).toEqual([
      [name, false],
      [name, true],
    ]);
  });

  it('finds in the history of a folder what a merged branch had brought there and taken away', async () => {
    const { folder, secret, scan } = await open();
    git(folder, 'init', '-q', '-b', 'main');
    mkdirSync(join(folder, 'inside'));
    writeFileSync(join(folder, 'inside', 'a'), 'nothing');
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'one');
    git(folder, 'checkout', '-qb', 'side');
    writeFileSync(join(folder, 'inside', 'b'), secret);
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'two');
    git(folder, 'rm', '-q', 'inside/b');
    git(folder, 'commit', '-qm', 'three');
    git(folder, 'checkout', '-q', 'main');
    git(folder, 'merge', '-q', '--no-ff', '-m', 'four', 'side');
    git(folder, 'branch', '-qd', 'side');
    git(folder, 'reflog', 'expire', '--expire=now', '--all');
    expect((await scan({ path: join(folder, 'inside') })).findings).toMatchObject([
      { file: join('inside', 'b') },
    ]);
  });

  it('takes a folder by its name, whatever that means to Git, and by a link to it', async () => {
    const { folder, secret, scan } = await open();
    git(folder, 'init', '-q');
    for (const name of [':!odd', '[x]']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'a'), `${name}${secret}`);
    }
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'one');
    for (const name of [':!odd', '[x]']) {
      const { findings } = await scan({ path: join(folder, name) });
      expect(findings.map(({ file }) => file)).toEqual([join(name, 'a'), join(name, 'a')]);
    }
    const link = join(createTestFolder(), 'link');
    symlinkSync(folder, link);
    expect((await scan({ path: link })).findings).toHaveLength(4);
    expect((await scan({ path: join(link, '[x]') })).findings).toHaveLength(2);
  });

  it('finds what is only staged', async () => {
    const { folder, secret, scan } = await open();
    git(folder, 'init', '-q');
    writeFileSync(join(folder, 'a'), secret);
    git(folder, 'add', '.');
    writeFileSync(join(folder, 'a'), 'clean again');
    expect((await scan()).findings).toMatchObject([{ file: 'a', line: 1 }]);
  });

  it('looks through a repository that is bare, or is named by its own folder', async () => {
    const { folder, secret, scan } = await open();
    git(folder, 'init', '-q');
    writeFileSync(join(folder, 'a'), secret);
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'one');
    const bare = join(createTestFolder(), 'bare.git');
    git(folder, 'clone', '-q', '--bare', '.', bare);
    expect(await scan({ path: bare })).toMatchObject({
      history: true,
      findings: [{ file: join(bare, 'a'), line: 1, commit: git(folder, 'rev-parse', 'HEAD') }],
    });
    expect((await scan({ path: join(folder, '.git') })).findings).toHaveLength(1);
  });

  it('does not take a repository that Git does not open for none', async () => {
    const { folder, scan } = await open();
    writeFileSync(join(folder, '.git'), 'gitdir: nowhere');
    mkdirSync(join(folder, 'below'));
    for (const path of [folder, join(folder, 'below')]) {
      await expect(scan({ path })).rejects.toMatchObject({ code: 'unavailable' });
    }
    expect((await scan({ history: false })).history).toBe(false);
  });

  it('reads an empty repository, and tells when Git cannot read one', async () => {
    const { folder, secret, scan } = await open();
    git(folder, 'init', '-q');
    expect(await scan()).toMatchObject({ findings: [], history: true });
    writeFileSync(join(folder, 'a'), secret);
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'one');
    const object = git(folder, 'rev-parse', 'HEAD^{tree}');
    rmSync(join(folder, '.git', 'objects', object.slice(0, 2), object.slice(2)));
    await expect(scan()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
