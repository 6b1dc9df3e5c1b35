import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addToDotenvList, ignoreInGit, readDotenv } from '../../src/config/dotenv-file.js';
import { createTestFolder } from '../support/folder.js';

const name = 'STRIPE_WEBHOOK_SECRET';

describe('the .env file', () => {
  it.each([
    [undefined, `${name}=whsec_a\n`],
    ['', `${name}=whsec_a\n`],
    ['A=1\n# note\nB=2', `A=1\n# note\nB=2\n${name}=whsec_a\n`],
    [`${name}=whsec_old\nA=1\n`, `${name}=whsec_old,whsec_a\nA=1\n`],
    [`export ${name} = "whsec_old"\n`, `${name}=whsec_old,whsec_a\n`],
    [`${name}=\n`, `${name}=whsec_a\n`],
    [`X${name}=1\n`, `X${name}=1\n${name}=whsec_a\n`],
  ])('gains a secret: %j', (before, after) => {
    const folder = createTestFolder();
    const path = join(folder, '.env');
    if (before !== undefined) writeFileSync(path, before);
    expect(addToDotenvList(folder, name, ['whsec_a'])).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(after);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(addToDotenvList(folder, name, ['whsec_a'])).toBe(false);
    expect(readDotenv(folder)[name]).toContain('whsec_a');
  });

  it('may be missing', () => {
    expect(readDotenv(createTestFolder())).toEqual({});
  });
});

describe('.gitignore', () => {
  it('is left alone outside a repository', () => {
    expect(ignoreInGit(createTestFolder(), ['.env'])).toEqual([]);
  });

  it('gains what is missing, also in a folder below the root of the repository', () => {
    const root = createTestFolder();
    const folder = join(root, 'api');
    mkdirSync(join(root, '.git'));
    mkdirSync(folder);
    writeFileSync(join(folder, '.gitignore'), 'dist/\n/.env');
    expect(ignoreInGit(folder, ['.env', '.meterctl/'])).toEqual(['.meterctl/']);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('dist/\n/.env\n.meterctl/\n');
    expect(ignoreInGit(folder, ['.env', '.meterctl/'])).toEqual([]);
  });
});
