/** Rows as text: a light table that fits a person's screen, plain aligned columns for pipes; the one home of cli-table3. */

import CliTable from 'cli-table3';
import { createPaint } from './paint.js';
import { printable } from './printable.js';
import type { Screen } from './terminal.js';

/** One column. */
export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** Gives way when the table is wider than the screen: its cells are cut short with `…`. */
  flexible?: boolean;
}

/** What stands in a cell; `paint` colours the text once it is safe to print. */
export type Cell = string | { text: string; paint: (text: string) => string };

/** Between two columns. */
const gap = '  ';
const flexibleWidthMin = 8;

const noBorders = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
);

/** Writes rows under their titles, every line ended. On a TTY titles are bold and flexible columns give way. */
export function tableText(screen: Screen, columns: readonly Column[], rows: readonly Cell[][]): string {
  const paint = createPaint(screen);
  const lines = [
    columns.map((column) => paint.strong(column.title)),
    ...rows.map((row) => row.map(cellText)),
  ];
  const table = createTable(columns, lines, []);
  let text = table.toString();
  // Rendering has filled in the widths that it found.
  const widths = table.options.colWidths.map((width) => width ?? 0);
  const excess =
    widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - screen.columns;
  if (screen.isTty && excess > 0) {
    text = createTable(columns, lines, narrowed(columns, widths, excess)).toString();
  }
  return `${text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** Writes names and values, one pair a line, the values aligned. Pairs with an `undefined` value are left out. */
export function pairsText(screen: Screen, pairs: readonly (readonly [string, Cell | undefined])[]): string {
  const paint = createPaint(screen);
  const shown = pairs.filter((pair): pair is [string, Cell] => pair[1] !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${paint.faint(name.padEnd(width))}${gap}${cellText(value)}\n`)
    .join('');
}

function createTable(columns: readonly Column[], lines: string[][], colWidths: number[]) {
  const table = new CliTable({
    chars: { ...noBorders, middle: gap },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: columns.map((column) => column.align ?? 'left'),
    colWidths,
  });
  table.push(...lines);
  return table;
}

function narrowed(columns: readonly Column[], widths: number[], excessAll: number): number[] {
  let excess = excessAll;
  return widths.map((width, index) => {
    if (!columns[index]?.flexible) return width;
    const kept = Math.max(Math.min(width, flexibleWidthMin), width - Math.max(0, excess));
    excess -= width - kept;
    return kept;
  });
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.paint(printable(cell.text));
}
