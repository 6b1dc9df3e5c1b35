/** HTML by tagged template; the one home of hono/html. Every `${value}` is escaped unless it is itself `html`. */

import { raw, html as tag } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** A piece of HTML that needs no more escaping. */
export type Html = HtmlEscapedString;

/** Writes HTML. Arrays of pieces are joined; `null`, `undefined` and `false` print nothing. Values must not be promises. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  return tag(strings, ...values) as Html;
}

/** Marks trusted text (a style sheet of our own, for instance) as HTML. Never for anything that came from outside. */
export function trusted(text: string): Html {
  return raw(text) as Html;
}
