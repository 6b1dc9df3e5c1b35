/** The source text is under test: size, banned calls, files nobody imports. The linter's configuration holds the layers. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const linesMax = 250;
const functionLinesMax = 60;

/** What reaches for the machine, the one place where it may, and what to use instead. */
const banned: { pattern: RegExp; homes: string[]; instead: string }[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    homes: ['src/host.ts'],
    instead: 'host.clock.nowMs()',
  },
  {
    pattern: /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(/,
    homes: ['src/host.ts'],
    instead: 'host.random or host.ids',
  },
  {
    pattern: /(?<![.\w])set(Timeout|Interval|Immediate)\(|node:timers/,
    homes: ['src/host.ts'],
    instead: 'host.clock or lib/loop',
  },
  {
    pattern: /(?<![.\w-])process\.\w|node:process/,
    homes: ['src/main.ts', 'src/meterctl.ts', 'src/host.ts'],
    instead: 'a value handed in',
  },
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, homes: [], instead: 'finished work' },
  { pattern: /\bas any\b|@ts-(ignore|expect-error)|biome-ignore/, homes: [], instead: 'a type that is true' },
];

const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)));
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

describe('the source text', () => {
  it('has files', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  it.each(files)('%s is small, opens with a sentence and reaches for no global', (file) => {
    const text = textOf.get(file)!;
    const lines = text.split('\n');
    expect(lines.length - 1, 'lines').toBeLessThanOrEqual(linesMax);
    expect(
      lines.find((line) => !line.startsWith('#!')),
      'first line',
    ).toMatch(/^\/\*\*/);
    for (const { pattern, homes, instead } of banned) {
      if (homes.includes(file)) continue;
      const hits = lines.flatMap((line, index) =>
        isComment(line) || !pattern.test(line) ? [] : [`${index + 1}: ${line.trim()}`],
      );
      expect(hits, `use ${instead}`).toEqual([]);
    }
    expect(longFunctions(lines)).toEqual([]);
  });

  it('imports every file', () => {
    const imported = new Set(['src/main.ts', 'src/meterctl.ts']);
    for (const [file, text] of textOf) {
      for (const match of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g)) {
        imported.add(relative(root, resolve(root, dirname(file), `${match[1]}.ts`)));
      }
    }
    expect(files.filter((file) => !imported.has(file))).toEqual([]);
  });
});

function isComment(line: string): boolean {
  return /^\s*(\*|\/\/|\/\*)/.test(line);
}

/** Functions that open at the start of a line (with any indent) and close at the same indent too many lines later. */
function longFunctions(lines: string[]): string[] {
  const found: string[] = [];
  lines.forEach((line, start) => {
    const opening =
      /^(\s*)(?:export )?(?:default )?(?:async )?(?:function\b|(?:get |set |async |#)?\w+\([^;]*\)(?:: [^=]+)? \{$)/.exec(
        line,
      );
    if (!opening || /^\s*(if|for|while|switch|catch)\b/.test(line)) return;
    const end = lines.findIndex((other, index) => index > start && other.startsWith(`${opening[1]}}`));
    if (end - start + 1 > functionLinesMax)
      found.push(`${start + 1}: ${line.trim()} (${end - start + 1} lines)`);
  });
  return found;
}
