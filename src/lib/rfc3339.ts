/** Times as text: RFC 3339 in UTC. */

/** The last moment whose year has four digits, which is all that RFC 3339 can write. */
export const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** `2026-11-22T08:00:00Z`; milliseconds are written only when there are any. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
