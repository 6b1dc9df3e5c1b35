/** The door of the portal. */

import { html } from '../../lib/html.js';
import type { Page } from './layout.js';
import { type Notice, noticeBlock } from './portal-frame.js';

/** The form that takes a key. `field` marks the field as the one at fault. */
export function signInPage(notice?: Notice & { field?: boolean }): Page {
  const invalid = notice?.field ? html` aria-invalid="true" aria-describedby="message"` : undefined;
  return {
    title: 'Your account',
    corner: html`<a href="/">What it costs</a>`,
    content: html`<div class="card">
<h1>Your account</h1>
<p>See what you have used and what it will cost, and look after your keys.</p>
${noticeBlock(notice)}
<form method="post" action="/portal/sign-in">
<div class="field"><label for="key">API key</label>
<input id="key" name="key" type="password" required maxlength="200" autocomplete="current-password" autocapitalize="none" spellcheck="false"${invalid}>
<p class="hint">Any of your keys that still works. It begins with <code>mk_</code>.</p></div>
<button type="submit">Sign in</button>
</form>
</div>
<p class="soft small">No key yet? <a href="/">Subscribe first</a>. Lost the only one? Ask us for a new one.</p>`,
  };
}
