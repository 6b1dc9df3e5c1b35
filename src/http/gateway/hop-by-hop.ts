/** Header fields that belong to one connection and are never passed on (RFC 9110 7.6.1). */

const fields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

const none: ReadonlySet<string> = new Set();

/** What a `Connection` field may not take away: it would change what the message means, or where it goes. */
const needed: ReadonlySet<string> = new Set(['content-length', 'host']);

/** Whether a field, in lower case, always stays on its connection. */
export function isHopByHop(name: string): boolean {
  return fields.has(name);
}

/** The fields, in lower case, that a `Connection` field names beside `close` and `keep-alive`. */
export function fieldsNamedIn(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || /^(close|keep-alive)$/i.test(connection)) return none;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !needed.has(name)));
}
