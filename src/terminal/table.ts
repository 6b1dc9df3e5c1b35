/** Rows as text: a light table that fits a person's screen, plain aligned columns for pipes; the one home of cli-table3. */

import CliTable from 'cli-table3';
import { createPaint } from './paint.js';
import { printable } from './printable.js';
import type { Screen } from './terminal.js';

/** One column. */
export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** Gives way when the table is wider than a person's screen: its cells are cut short with `…`. */
  flexible?: boolean;
  /** Left out when nothing else makes the table fit a person's screen, the last one first. */
  optional?: boolean;
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

/** Writes rows under their titles, every line ended. On a TTY titles are bold and the table fits the width if it can. */
export function tableText(screen: Screen, columns: readonly Column[], rows: readonly Cell[][]): string {
  const table = createTable(screen, columns, rows, []);
  let text = table.toString();
  // Rendering has filled in the widths that it found.
  const widths = table.options.colWidths.map((width) => width ?? 0);
  const excess =
    widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - screen.columns;
  if (screen.isTty && excess > 0) {
    const spare = columns.reduce((sum, column, index) => sum + spareWidth(column, widths[index] ?? 0), 0);
    const last = columns.findLastIndex((column) => column.optional);
    if (spare < excess && last !== -1) {
      return tableText(
        screen,
        without(columns, last),
        rows.map((row) => without(row, last)),
      );
    }
    text = createTable(screen, columns, rows, narrowed(columns, widths, excess)).toString();
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

function createTable(
  screen: Screen,
  columns: readonly Column[],
  rows: readonly Cell[][],
  colWidths: number[],
) {
  const paint = createPaint(screen);
  const table = new CliTable({
    chars: { ...noBorders, middle: gap },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: columns.map((column) => column.align ?? 'left'),
    colWidths,
  });
  table.push(
    columns.map((column) => paint.strong(column.title)),
    ...rows.map((row) => row.map(cellText)),
  );
  return table;
}

/** How much narrower a column may get. */
function spareWidth(column: Column, width: number): number {
  return column.flexible ? Math.max(0, width - flexibleWidthMin) : 0;
}

/** Takes the excess from the widest flexible column, character by character, as long as one has some to spare. */
function narrowed(columns: readonly Column[], widths: readonly number[], excess: number): number[] {
  const kept = [...widths];
  for (let rest = excess; rest > 0; rest -= 1) {
    const spare = columns.map((column, index) => spareWidth(column, kept[index] ?? 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    kept[widest] = (kept[widest] ?? 0) - 1;
  }
  return kept;
}

function without<T>(list: readonly T[], index: number): T[] {
  return list.filter((_, other) => other !== index);
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.paint(printable(cell.text));
}
