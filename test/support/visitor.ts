/** A person with a browser, over plain HTTP: keeps cookies, says where forms come from, follows nothing by itself. */

/** One visit to one server. */
export interface Visitor {
  /** The cookies as they would be sent, `name=value`. */
  cookie: string;
  /** What the last answer said about its cookie. */
  lastSetCookie: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a form, from the server's own page unless the headers say otherwise. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
}

/** An answer that has been read. */
export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

/** A visitor who has never been here. */
export function createVisitor(url: string): Visitor {
  async function send(path: string, init: RequestInit): Promise<Answer> {
    const headers = { accept: 'text/html,*/*;q=0.8', cookie: visitor.cookie, ...init.headers };
    const response = await fetch(`${url}${path}`, { ...init, headers, redirect: 'manual' });
    visitor.lastSetCookie = response.headers.get('set-cookie') ?? '';
    if (visitor.lastSetCookie !== '') visitor.cookie = visitor.lastSetCookie.split(';')[0]!;
    return { status: response.status, text: await response.text(), headers: response.headers };
  }
  const visitor: Visitor = {
    cookie: '',
    lastSetCookie: '',
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, fields, headers = { origin: url, 'sec-fetch-site': 'same-origin' }) =>
      send(path, { method: 'POST', body: new URLSearchParams(fields), headers }),
  };
  return visitor;
}

/** The value of a hidden field of a page. */
export function hiddenField(page: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
}
