/** The portal's keys: the list, the form that makes one, the new key, and the questions before one ends. */

import { type ApiKey, keyStatus } from '../../domain/key.js';
import { type Html, html } from '../../lib/html.js';
import { curlExample } from './home-page.js';
import type { Page, Site } from './layout.js';
import { portalFrame, tokenField } from './portal-frame.js';
import { dayWords, timeWords } from './words.js';

/** The form of a new key as it is shown: once more, with what was typed, when something was wrong. */
export interface KeyDraft {
  /** Names the order, so that sending the form again makes no second key. */
  order: string;
  name: string;
  error?: string | undefined;
}

/** How long a new key may live, in days; `0` is for ever. */
export const lifetimes = new Map([
  ['0', 'Never expires'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'One year'],
]);

/** The card. */
export function keysCard(view: { keys: ApiKey[]; token: string; draft: KeyDraft; nowMs: number }): Html {
  const { keys, nowMs } = view;
  const [active, ended] = [true, false].map((wanted) =>
    keys.filter((key) => (keyStatus(key, nowMs) === 'active') === wanted),
  ) as [ApiKey[], ApiKey[]]; // Two in, two out.
  return html`<section class="card" aria-labelledby="keys">
<h2 id="keys">API keys</h2>
<ul class="keys">${active.map((key) => keyRow(key, nowMs))}</ul>
${newKeyForm(view.token, view.draft)}
${
  ended.length > 0 &&
  html`<details><summary>Keys that have ended (${ended.length})</summary><ul class="keys">${ended.map((key) => keyRow(key, nowMs))}</ul></details>`
}
</section>`;
}

/** A key that was just made, and what is said with it. */
export interface NewKey {
  secret: string;
  baseUrl: string;
  offer: Site;
  /** The key that it replaces. */
  old?: ApiKey | undefined;
}

/** The page with a new key, shown this once. */
export function newKeyPage({ secret, baseUrl, offer, old }: NewKey, token: string): Page {
  return {
    ...portalFrame(token),
    title: 'Your new API key',
    content: html`<div class="card">
<h1>Your new API key</h1>
<p>Copy it now and keep it like a password. <strong>It is shown this once.</strong></p>
<code id="api-key">${secret}</code>
${old && html`<p>The old key <code>${old.hint}</code> works on until <strong>${timeWords(endOf(old))}</strong>. Give the new one to your programs by then.</p>`}
${curlExample(secret, baseUrl, offer)}
<p><a class="button" href="/portal">Back to your account</a></p>
</div>`,
  };
}

/** What is seen when the form is sent a second time, by a reload for instance. */
export function keyMadePage(token: string): Page {
  return {
    ...portalFrame(token),
    title: 'This key was made already',
    content: html`<div class="card">
<h1>This key was made already</h1>
<p>A key is shown only once, and this one has been shown. No second one was made.</p>
<p><a class="button" href="/portal">Back to your account</a></p>
</div>`,
  };
}

/** The question before a key is replaced. */
export function replacePage(key: ApiKey, token: string): Page {
  return {
    ...portalFrame(token),
    title: 'Replace this key?',
    content: html`<div class="card">
<h1>Replace this key?</h1>
<p><strong>${key.name ?? 'Unnamed'}</strong> <code>${key.hint}</code></p>
<p>You get a new key of the same kind at once. The old one works on for 24 hours, so that your programs can change over, and then ends.</p>
<p>If the key has leaked, revoke it instead.</p>
<form method="post" action="/portal/keys/${key.id}/replace" class="actions">${tokenField(token)}
<button type="submit">Replace key</button>
<a class="button quiet" href="/portal">Keep it</a>
</form>
</div>`,
  };
}

/** The question before a key is revoked. */
export function revokePage(key: ApiKey, token: string, warnings: { own: boolean; last: boolean }): Page {
  return {
    ...portalFrame(token),
    title: 'Revoke this key?',
    content: html`<div class="card">
<h1>Revoke this key?</h1>
<p><strong>${key.name ?? 'Unnamed'}</strong> <code>${key.hint}</code></p>
<p>Calls with it are refused within a second. This cannot be taken back.</p>
${warnings.last && html`<p class="notice warn">It is your last key. Without one you can neither call nor sign in here: unless it has leaked, make another one first.</p>`}
${warnings.own && html`<p class="notice warn">You are signed in with this key, so you will be signed out.</p>`}
<form method="post" action="/portal/keys/${key.id}/revoke" class="actions">${tokenField(token)}
<button type="submit" class="danger">Revoke key</button>
<a class="button quiet" href="/portal">Keep it</a>
</form>
</div>`,
  };
}

function keyRow(key: ApiKey, nowMs: number): Html {
  const status = keyStatus(key, nowMs);
  const replaced = status === 'active' && key.revokedAtMs !== null;
  const label = `${key.name ?? 'the unnamed key'} ${key.hint}`;
  const facts = [
    key.lastUsedAtMs === null ? 'Never used' : `Last used ${dayWords(key.lastUsedAtMs)}`,
    `made ${dayWords(key.createdAtMs)}`,
    status === 'revoked' && `revoked ${dayWords(key.revokedAtMs ?? nowMs)}`,
    replaced && `replaced, works until ${timeWords(endOf(key))}`,
    key.expiresAtMs !== null &&
      `${status === 'expired' ? 'expired' : 'expires'} ${dayWords(key.expiresAtMs)}`,
  ];
  return html`<li><div>
<p><strong>${key.name ?? 'Unnamed'}</strong> <code>${key.hint}</code> <span class="pill ${status === 'active' && 'good'}">${status}</span></p>
<p class="soft small">${facts.filter((fact) => fact !== false).join(' · ')}</p>
</div>
${
  status === 'active' &&
  html`<div class="actions">
${!replaced && html`<a class="button quiet small" href="/portal/keys/${key.id}/replace" aria-label="Replace ${label}">Replace</a>`}
<a class="button quiet small" href="/portal/keys/${key.id}/revoke" aria-label="Revoke ${label}">Revoke</a>
</div>`
}
</li>`;
}

/** When a key ends that was replaced. */
function endOf({ revokedAtMs, expiresAtMs }: ApiKey): number {
  return Math.min(revokedAtMs ?? Number.POSITIVE_INFINITY, expiresAtMs ?? Number.POSITIVE_INFINITY);
}

function newKeyForm(token: string, { order, name, error }: KeyDraft): Html {
  const invalid = error && html` aria-invalid="true" aria-describedby="name-error"`;
  return html`<form method="post" action="/portal/keys">
${tokenField(token)}<input type="hidden" name="order" value="${order}">
${error && html`<p id="name-error" class="notice bad" role="alert">${error}</p>`}
<div class="row">
<div class="field"><label for="name">Name of a new key</label>
<input id="name" name="name" type="text" maxlength="200" autocomplete="off" placeholder="production server" value="${name}"${invalid}></div>
<div class="field"><label for="days">Expires</label>
<select id="days" name="days">${[...lifetimes].map(([days, label]) => html`<option value="${days}">${label}</option>`)}</select></div>
<div class="field"><button type="submit">Make a key</button></div>
</div>
</form>`;
}
