/** Lists come in pages. */

/** Which page is asked for. */
export interface PageRequest {
  /** At most so many rows. */
  limit: number;
  /** Where the page before ended: its `nextCursor`. Opaque to callers. */
  cursor?: string | undefined;
}

/** One page of a list. */
export interface Page<T> {
  data: T[];
  /** Hand it back to get the next page; `null` on the last page. */
  nextCursor: string | null;
}
