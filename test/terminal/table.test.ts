import { describe, expect, it } from 'vitest';
import { csvText } from '../../src/terminal/csv.js';
import { createPaint } from '../../src/terminal/paint.js';
import { pairsText, tableText } from '../../src/terminal/table.js';
import { createMemoryTerminal } from '../support/memory-terminal.js';

const columns = [
  { title: 'NAME', flexible: true },
  { title: 'UNITS', align: 'right' as const },
];

describe('tables', () => {
  it('align plain columns in a pipe, however wide', () => {
    const { stdout } = createMemoryTerminal({ columns: 20 });
    expect(
      tableText(stdout, columns, [
        ['a name that is longer than the screen', '7'],
        ['b', '1,234'],
      ]),
    ).toBe(
      [
        'NAME                                   UNITS',
        'a name that is longer than the screen      7',
        'b                                      1,234',
        '',
      ].join('\n'),
    );
  });

  it('cut flexible columns to the width of a TTY', () => {
    const { stdout } = createMemoryTerminal({ tty: true, columns: 20 });
    expect(tableText(stdout, columns, [['a name that is longer than the screen', '7']])).toBe(
      ['NAME           UNITS', 'a name that …      7', ''].join('\n'),
    );
  });

  it('narrow the widest column first, and leave optional ones out only when that is not enough', () => {
    const wide = [
      { title: 'ID' },
      { title: 'MAIL', flexible: true },
      { title: 'NAME', flexible: true },
      { title: 'AT', optional: true },
    ];
    const row = ['cus_1', 'ada@example.com', 'A name that is much longer', 'now'];
    const show = (columns: number) =>
      tableText(createMemoryTerminal({ tty: true, columns }).stdout, wide, [row]);
    expect(show(60).split('\n')[1]).toBe('cus_1  ada@example.com  A name that is much longer  now');
    expect(show(44).split('\n')[1]).toBe('cus_1  ada@example.com  A name that is…  now');
    expect(show(26).split('\n')[1]).toBe('cus_1  ada@exa…  A name t…');
    expect(show(10).split('\n')[1]).toBe('cus_1  ada@exa…  A name …');
  });

  it('never let a value move the cursor', () => {
    const { stdout } = createMemoryTerminal({ tty: true });
    const text = tableText(stdout, columns, [['\u001b[2J\nowned\u202e', '1']]);
    expect(text.split('\n')[1]).toMatch(/^ \[2J owned +1$/);
  });

  it('measure colours as nothing', () => {
    const { stdout } = createMemoryTerminal({ tty: true, env: {} });
    const paint = createPaint(stdout);
    const text = tableText(stdout, columns, [
      [{ text: 'ok', paint: paint.good }, '1'],
      ['longer', '2'],
    ]);
    expect(text).toContain('\u001b[32mok\u001b[39m          1');
  });

  it('write pairs', () => {
    const { stdout } = createMemoryTerminal();
    expect(
      pairsText(stdout, [
        ['id', 'cus_1'],
        ['gone', undefined],
        ['e-mail', 'a@b.c'],
      ]),
    ).toBe('id      cus_1\ne-mail  a@b.c\n');
  });
});

describe('CSV', () => {
  it('quotes what must be quoted and leaves missing fields empty', () => {
    expect(csvText(['route', 'key', 'units'], [{ route: 'GET /a,"b"', units: 3 }])).toBe(
      'route,key,units\n"GET /a,""b""",,3\n',
    );
  });
});
