/** Lists come in pages: the options for them, and how a page is shown. */

import type { Command } from 'commander';
import type { Page, PageRequest } from '../domain/page.js';
import { type Cell, type Column, tableText } from '../terminal/table.js';
import type { Context } from './context.js';
import * as parse from './parse.js';

/** What the options of a list make. */
export interface PageOptions {
  limit: number;
  cursor?: string;
}

/** Adds `--limit` and `--cursor`. */
export function addPageOptions(command: Command): Command {
  return command
    .option('--limit <number>', 'rows on a page', parse.limit, 50)
    .option('--cursor <cursor>', 'where the page before ended: its next_cursor', parse.shortText);
}

/** The page that the options ask for. */
export function pageRequest(options: PageOptions): PageRequest {
  return { limit: options.limit, cursor: options.cursor };
}

/** How the rows of a list look. */
export interface PageLayout<T> {
  columns: readonly Column[];
  row(item: T): Cell[];
  json(item: T): unknown;
  /** Said instead of an empty table. */
  none: string;
}

/** Shows one page; on the terminal the way to the next one is noted. */
export function showPage<T>(context: Context, page: Page<T>, layout: PageLayout<T>): void {
  if (page.data.length === 0 && !context.flags.json) {
    context.note(layout.none);
    return;
  }
  context.show({
    json: () => ({ data: page.data.map(layout.json), next_cursor: page.nextCursor }),
    text: () => tableText(context.terminal.stdout, layout.columns, page.data.map(layout.row)),
  });
  if (page.nextCursor !== null && !context.flags.json)
    context.note(`There are more: --cursor ${page.nextCursor}`);
}
