/** A pause that lets other work run: paid calls must not wait behind many steps of something else. */

import type { Clock } from './host.js';

/** Resolves once the I/O that is already waiting has been handled. */
export function turn(clock: Pick<Clock, 'soon'>): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve));
}
