/** Interim answers of the upstream (RFC 9110 15.2), as far as Node can write them. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pairs } from '../../lib/header-list.js';
import type { AnswerHead } from './answer-head.js';

/** Passes it on to who understands it. 100 is a matter between us and each side. */
export function inform(req: IncomingMessage, res: ServerResponse, { status, headers }: AnswerHead): void {
  if (req.httpVersion === '1.0') return;
  if (status === 102) res.writeProcessing();
  if (status !== 103) return;
  const link = pairs(headers).flatMap(([name, value]) => (/^link$/i.test(name) ? [value] : []));
  try {
    if (link.length > 0) res.writeEarlyHints({ link });
  } catch {
    // Node takes a link in one spelling only. A hint that it does not take is no reason to give no answer.
  }
}
