/** Routes for people: the hosted Checkout page, the portal. They take no API key and answer HTML or a redirect. */

import type { Html } from '../lib/html.js';
import type { Account } from './account.js';

/** What a browser sent. */
export interface PageRequest {
  /** Named parts of the path. */
  path: Record<string, string>;
  query: Record<string, string>;
  /** Fields of a submitted form; empty on GET. */
  form: Record<string, string>;
}

/** A page, or a redirect (303). */
export type PageAnswer = { status: number; html: Html } | { location: string };

/** One page. `post` routes run in one transaction. */
export interface PageRoute {
  method: 'get' | 'post';
  /** As Express reads it: `/c/pay/:id`. */
  path: string;
  handle(account: Account, request: PageRequest): PageAnswer;
}
