/** The frame of every page: plain HTML that needs no script, works in light and dark, and on a phone. */

import type { Response } from 'express';
import type { ExampleCall } from '../../domain/route.js';
import { type Html, html } from '../../lib/html.js';
import { type AssetName, assetUrl } from '../assets.js';

/** Whose pages these are. */
export interface Site {
  productName: string;
  /** What the first call looks like. */
  firstCall: ExampleCall;
}

/** A page to be framed. */
export interface Page {
  title: string;
  content: Html;
  /** A page that says one thing is narrow. */
  width?: 'narrow' | 'wide';
  /** Where a form of the page may lead by a redirect, beside this server, as sources of the policy: Chromium checks that too. */
  leadsTo?: readonly string[];
  /** Scripts that the page can do without. */
  scripts?: readonly AssetName[];
  styles?: readonly AssetName[];
  /** What the header offers at its end; a link to the customer's own page unless said otherwise. */
  corner?: Html;
}

const account = html`<a href="/portal">Your account</a>`;

/** Sends a page. */
export function sendPage(res: Response, site: Site, status: number, page: Page): void {
  const styles: AssetName[] = ['style.css', ...(page.styles ?? [])];
  const title = page.title === site.productName ? page.title : `${page.title} · ${site.productName}`;
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${assetUrl('icon.svg')}" type="image/svg+xml">
${styles.map((name) => html`<link rel="stylesheet" href="${assetUrl(name)}">`)}
${page.scripts?.map((name) => html`<script src="${assetUrl(name)}" defer></script>`)}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="bar"><a class="brand" href="/">${site.productName}</a><nav aria-label="Site">${page.corner ?? account}</nav></header>
<main id="main" tabindex="-1"${page.width !== 'wide' && html` class="narrow"`}>${page.content}</main>
</body>
</html>`;
  res.status(status).set(headersOf(page)).send(text.toString());
}

/**
 * Nothing from outside, scripts only where the page has some, and in nobody's frame. Referrers stay within this server:
 * `no-referrer` would also take the origin from our own forms (Fetch: `Origin` becomes `null`), by which they are known.
 */
function headersOf({ leadsTo = [], scripts = [] }: Page): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    scripts.length > 0 && "script-src 'self'",
    `form-action ${["'self'", ...leadsTo].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': policy.filter((directive) => directive !== false).join('; '),
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Robots-Tag': 'noindex',
  };
}
