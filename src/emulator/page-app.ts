/** HTTP around the pages for people: forms in, HTML or a redirect out. */

import type { Express, Request } from 'express';
import qs from 'qs';
import type { Account } from './account.js';
import type { PageRoute } from './page-route.js';

/** Serves the pages. A page that throws is answered by the app's error handler. */
export function mountPages(app: Express, account: Account, pages: readonly PageRoute[]): void {
  for (const page of pages) {
    app[page.method](page.path, (request, response) => {
      const handle = () =>
        page.handle(account, {
          path: request.params as Record<string, string>, // No route has a wildcard, so no value is a list.
          query: fields(request.originalUrl.split('?')[1] ?? ''),
          form: page.method === 'post' ? fields(bodyOf(request)) : {},
        });
      const answer = page.method === 'post' ? account.write(handle) : handle();
      if ('location' in answer) response.redirect(303, answer.location);
      else response.status(answer.status).type('html').send(String(answer.html));
    });
  }
}

function bodyOf(request: Request): string {
  return typeof request.body === 'string' ? request.body : '';
}

/** Plain fields; what is not one text is left out. */
function fields(text: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(qs.parse(text, { depth: 0 })).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}
