/** The frame of every hosted page. Plain HTML and one style sheet: no script, nothing from elsewhere. */

import { createHash } from 'node:crypto';
import { type Html, html, trusted } from '../../lib/html.js';
import { stylesheet } from './stylesheet.js';

/** The only style a page may have, by its hash. https://www.w3.org/TR/CSP3/#style-src */
const styleHash = `sha256-${createHash('sha256').update(stylesheet).digest('base64')}`;

/** A page to be framed. */
export interface Page {
  title: string;
  body: Html;
  /** Where a form of the page may lead by a redirect, beside this server: browsers check that too. */
  leadsTo?: string | null;
  narrow?: boolean;
}

/** The whole document. */
export function layout({ title, body, leadsTo, narrow = false }: Page): Html {
  const targets = ["'self'", ...(leadsTo ? [new URL(leadsTo).origin] : [])].join(' ');
  const policy = `default-src 'none'; style-src '${styleHash}'; form-action ${targets}; base-uri 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${trusted(stylesheet)}</style>
</head>
<body>
<main class="${narrow ? 'narrow' : 'wide'}">
<p class="badge">Embedded Stripe: no real money moves</p>
${body}
</main>
</body>
</html>`;
}

/** A page that says one thing and offers one way on. */
export function notice(status: number, heading: string, text: string, way?: { label: string; href: string }) {
  const body = html`<section class="card">
<h1>${heading}</h1>
<p class="soft">${text}</p>
${way && html`<p><a class="button quiet" href="${way.href}">${way.label}</a></p>`}
</section>`;
  return { status, html: layout({ title: heading, body, narrow: true }) };
}

/** A day as people write it: `10 December 2026`. */
export function day(seconds: number): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(seconds * 1000);
}
