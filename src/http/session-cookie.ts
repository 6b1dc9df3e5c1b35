/** The portal's cookie: only for the portal's pages, unseen by scripts, and never sent along from another site. */

import type { CookieOptions, Request, Response } from 'express';
import { sessionMs } from './session.js';

const name = 'meterctl_portal';

/** What was put into the cookie; `undefined` when there is none. */
export function readSessionCookie(req: Request): string | undefined {
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const [given, value] = pair.trim().split('=', 2);
    if (given === name) return value;
  }
  return undefined;
}

/** Puts the value into the cookie. */
export function setSessionCookie(res: Response, baseUrl: string, value: string): void {
  res.cookie(name, value, { ...attributes(baseUrl), maxAge: sessionMs });
}

/** Takes the cookie away, also when the answer was about to set it. */
export function clearSessionCookie(res: Response, baseUrl: string): void {
  res.removeHeader('Set-Cookie');
  res.clearCookie(name, attributes(baseUrl));
}

function attributes(baseUrl: string): CookieOptions {
  const secure = baseUrl.startsWith('https:');
  return { httpOnly: true, sameSite: 'strict', secure, path: '/portal' };
}
