/** Waits for what happens in another process. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Tries until `attempt` no longer throws, for at most `withinMs`; then its last error is thrown. */
export async function eventually<T>(attempt: () => Promise<T>, withinMs = 15_000): Promise<T> {
  const deadlineMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await sleep(50);
    }
  }
}
