/** Calls that run on a store, or were left open there, as another process sees them. */

import type { OpenCallRow, OpenCallStore } from '../../src/domain/open-call.js';

/** Those of everybody but the store's own process, up to a thousand of each. */
export async function listOthersCalls(store: OpenCallStore): Promise<OpenCallRow[]> {
  const runners = await store.listCallRunners();
  return (await Promise.all(runners.map((runner) => store.listCallsOf(runner, 1_000)))).flat();
}
