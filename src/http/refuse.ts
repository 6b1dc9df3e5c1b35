/** A refusal for whoever asked: a page for a browser, `problem+json` for a program. */

import type { Request, Response } from 'express';
import { type Site, sendPage } from './pages/layout.js';
import { problemPage } from './pages/problem-page.js';
import { type ProblemCode, sendProblem, statusAndTitle } from './problem.js';
import { requestIdOf } from './request-id.js';

/** Whether the one who asks would rather read a page. Who takes anything, as curl does, gets JSON. */
export function wantsPage(req: Request): boolean {
  return req.accepts(['json', 'html']) === 'html';
}

/** Sends the refusal. */
export function refuse(req: Request, res: Response, site: Site, code: ProblemCode, detail: string): void {
  if (wantsPage(req)) {
    const { status, title } = statusAndTitle(code);
    sendPage(res, site, status, problemPage(title, detail, requestIdOf(res)));
  } else {
    sendProblem(res, code, detail);
  }
}
