/** Times as text: RFC 3339 in UTC. */

/** `2026-11-22T08:00:00Z`; milliseconds are written only when there are any. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
