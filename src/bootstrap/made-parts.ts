/** Remembers what bootstraps made, because Stripe's lists may not show it yet when the next one runs (stripe-facts 2). */

import type { IdentityStore } from '../domain/store.js';
import type { CatalogPart } from './plan.js';

const markName = 'bootstrap_made';

/** What was made by earlier bootstraps with this database, oldest first; it may be gone from Stripe by now. */
export interface MadeParts {
  /** Ids of what was made as this part. */
  idsOf(part: CatalogPart): string[];
  /** Durable before it returns. */
  add(part: CatalogPart, id: string): Promise<void>;
}

/** Reads what was made. */
export async function findMadeParts(store: IdentityStore): Promise<MadeParts> {
  const mark = await store.findMark(markName);
  // Nothing but `add` below writes this mark.
  const made = (mark === undefined ? [] : JSON.parse(mark)) as [CatalogPart, string][];
  return {
    idsOf: (part) => made.filter(([each]) => each === part).map(([, id]) => id),
    async add(part, id) {
      if (made.some(([, known]) => known === id)) return;
      made.push([part, id]);
      await store.recordMark(markName, JSON.stringify(made));
    },
  };
}
