/** What the portal's pages share: the way out, the mark of our own forms, and notices. */

import { type Html, html } from '../../lib/html.js';
import type { Page } from './layout.js';

/** Something to say at the top of the page: what went wrong, or what was done. */
export interface Notice {
  text: string;
  tone: 'good' | 'bad';
}

/** What all pages behind the sign-in share: the way out. */
export function portalFrame(token: string): Pick<Page, 'corner'> {
  return {
    corner: html`<form method="post" action="/portal/sign-out">${tokenField(token)}<button type="submit" class="link">Sign out</button></form>`,
  };
}

/** The hidden field that shows that a form is ours. */
export function tokenField(token: string): Html {
  return html`<input type="hidden" name="token" value="${token}">`;
}

/** A notice that screen readers speak: what went wrong at once, what was done when there is time. */
export function noticeBlock(notice: Notice | undefined) {
  return (
    notice &&
    html`<p id="message" class="notice ${notice.tone}" role="${notice.tone === 'bad' ? 'alert' : 'status'}">${notice.text}</p>`
  );
}
