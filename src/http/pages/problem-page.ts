/** What a person sees in place of a refusal or an error. */

import { html } from '../../lib/html.js';
import type { Page } from './layout.js';

/** The page of a refusal: its title, what can be said about it, and the id to quote when asking for help. */
export function problemPage(title: string, detail: string, requestId: string): Page {
  return {
    title,
    content: html`<div class="card">
<h1>${title}</h1>
<p>${detail}</p>
<p><a class="button quiet" href="/">To the start page</a></p>
<p class="soft small">If you ask for help, quote <code>${requestId}</code>.</p>
</div>`,
  };
}
