/** The frame of every page: plain HTML that needs no script, works in light and dark, and on a phone. */

import type { Response } from 'express';
import { type Html, html, trusted } from '../../lib/html.js';
import { stylesheet } from './stylesheet.js';

/** A page's title and its content. */
export interface Page {
  title: string;
  content: Html;
}

/** Nothing from outside, no script, not in a frame, and no session id in a referrer. */
const headers = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Where the style sheet is served. */
export const stylesheetPath = '/assets/style.css';

/** Sends a page. */
export function sendPage(res: Response, status: number, { title, content }: Page): void {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="${stylesheetPath}">
</head>
<body><main>${content}</main></body>
</html>`;
  res.status(status).set(headers).send(page.toString());
}

/** Sends the style sheet. */
export function sendStylesheet(res: Response): void {
  res.type('text/css').set('Cache-Control', 'public, max-age=3600').send(trusted(stylesheet).toString());
}
