/** Whose usage is new: found row by row behind those that were looked at before, here or by an earlier process. */

import type { Store } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { turn } from '../lib/turn.js';
import { createWatchedMark } from './watched-mark.js';

/** Searches the ledger. */
export interface UserSearch {
  /**
   * Customers who have usage that no call of this process brought, behind the last search and up to the ledger's end now; nobody
   * where `closing` aborts meanwhile. `latest` is what `otherUsage` said before.
   */
  next(latest: number, closing: AbortSignal | undefined): Promise<Set<string>>;
  /** All that were found are done with: nobody need look for them again. */
  done(): Promise<void>;
}

/** Makes a search that begins where the last process is known to have come. */
export function createUserSearch({
  store,
  clock,
}: {
  store: Pick<Store, 'otherUsage' | 'listUsedSince' | 'findMark' | 'recordMark'>;
  clock: Clock;
}): UserSearch {
  const mark = createWatchedMark({ store, clock });
  /** When it was last searched, in terms of `otherUsage`; and up to which row. */
  let searched: number | undefined;
  let lastUsageId: number | undefined;

  return {
    async next(latest, closing) {
      const users = new Set<string>();
      const isFirst = searched === undefined;
      const since = isFirst ? await mark.read() : lastUsageId;
      const { lastUsageId: newest } = await store.listUsedSince(undefined);
      // Asked again, as others may have written just before that row was read: what is all ours is passed over.
      const isOurs = !isFirst && (await store.otherUsage()) === searched;
      let reached = isOurs ? newest : (since ?? newest);
      while (reached < newest) {
        if (closing?.aborted) return new Set();
        const used = await store.listUsedSince(reached);
        reached = used.lastUsageId;
        for (const id of used.customerIds) users.add(id);
        await turn(clock);
      }
      lastUsageId = reached;
      searched = latest;
      return users;
    },
    async done() {
      if (lastUsageId !== undefined) await mark.note(lastUsageId);
    },
  };
}
