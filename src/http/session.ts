/** Who is signed in to the portal: a signed cookie that lives half an hour and moves on with every request. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createBoundedCache } from '../lib/bounded-cache.js';
import type { Clock, Random } from '../lib/host.js';

/** How long a session lives without a request. */
export const sessionMs = 30 * 60_000;

/** Sessions that ended early and are remembered at least until their cookie would have ended by itself. */
const endedMax = 10_000;

/** A session of somebody who has shown a key. It is as good as that key: whether the key still works is asked each time. */
export interface Session {
  keyId: string;
  /** Tells this session from others of the same key. */
  nonce: string;
}

/** Makes sessions and knows its own again. The secret lives in this process alone, so a restart signs everybody out. */
export interface Sessions {
  open(keyId: string): Session;
  /** The cookie's value, with a new half hour. */
  seal(session: Session): string;
  /** The session of a cookie's value; `undefined` for what was not sealed here, or has ended. */
  read(sealed: string): Session | undefined;
  /** What every form of the session carries, so that nobody else can write one. */
  formToken(session: Session): string;
  isFormToken(session: Session, token: unknown): boolean;
  /** Ends the session, also for whoever has copied the cookie. */
  close(session: Session): void;
}

/** Makes the sessions of one process. */
export function createSessions({ clock, random }: { clock: Clock; random: Random }): Sessions {
  const secret = random.bytes(32);
  const ended = createBoundedCache<string, true>(endedMax);

  function sign(purpose: 'cookie' | 'form', text: string): string {
    return createHmac('sha256', secret).update(`${purpose}:${text}`).digest('base64url');
  }

  function formToken({ keyId, nonce }: Session): string {
    return sign('form', `${keyId}.${nonce}`);
  }

  return {
    open(keyId) {
      return { keyId, nonce: Buffer.from(random.bytes(16)).toString('base64url') };
    },
    seal({ keyId, nonce }) {
      const body = `${keyId}.${nonce}.${clock.nowMs() + sessionMs}`;
      return `${body}.${sign('cookie', body)}`;
    },
    read(sealed) {
      const [, body = '', keyId = '', nonce = '', ends = '', signature = ''] =
        /^((\w+)\.([\w-]+)\.(\d+))\.([\w-]+)$/.exec(sealed) ?? [];
      if (!isSame(signature, sign('cookie', body))) return undefined;
      const leftMs = Number(ends) - clock.nowMs();
      // More than a whole life is left only when the clock was set back.
      return leftMs <= 0 || leftMs > sessionMs || ended.get(nonce) ? undefined : { keyId, nonce };
    },
    formToken,
    isFormToken: (session, token) => typeof token === 'string' && isSame(token, formToken(session)),
    close({ nonce }) {
      ended.set(nonce, true);
    },
  };
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
