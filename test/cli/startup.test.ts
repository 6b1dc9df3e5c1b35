import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a file imports as soon as it is loaded; types are gone by then. */
function staticImports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /^import (?!type )(?:[^;]*? from )?'([^']+)';$/gm;
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

it('loads no package but commander before a command is chosen, so that help is quick', () => {
  const packages = new Set<string>();
  const files = new Set([join(root, 'src', 'main.ts')]);
  for (const file of files) {
    for (const name of staticImports(file)) {
      if (name.startsWith('.')) files.add(resolve(dirname(file), name.replace(/\.js$/, '.ts')));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  expect([...packages]).toEqual(['commander']);
  // Each file costs about a millisecond.
  expect(files.size).toBeLessThan(8);
});
