/** Time moving on: everything that has fallen due is done, in order of time. */

import assert from 'node:assert';
import type { Account } from '../account.js';
import type { DueObject } from '../object-store.js';
import { corrected, perform } from './due.js';

/**
 * Does everything that is due by now; cheap when nothing is. Safe in several processes at once: each looks again inside
 * its transaction. Returns how many things were done.
 */
export function runDue(account: Account): number {
  const now = account.clock.nowSec();
  if (!account.objects.nextDue(now, null)) return 0;
  return account.write(() => performUntil(account, null, now, () => undefined));
}

/**
 * Moves the account's time to `toSec` through everything that falls due on the way, each at its own time, so that documents and
 * events carry the times they would have had. One transaction. Returns how many things were done. Throws on a time that has passed.
 */
export function advanceTo(account: Account, toSec: number): number {
  return account.write(() => {
    const done = performUntil(account, null, toSec, (atSec) => {
      if (atSec > account.clock.nowSec()) account.clock.advanceTo(atSec);
    });
    account.clock.advanceTo(toSec);
    return done;
  });
}

/** Does what falls due until a time on one timeline, whose clock `setTime` sets to the time of each thing. */
export function performUntil(
  account: Account,
  testClock: string | null,
  untilSec: number,
  setTime: (atSec: number) => void,
): number {
  let done = 0;
  for (;;) {
    const due = account.objects.nextDue(untilSec, testClock);
    if (!due) return done;
    if (corrected(account, due)) continue;
    setTime(due.atSec);
    perform(account, due);
    done += 1;
    assert(!isUnchanged(account, due, testClock), `${due.kind} ${due.id} fell due and nothing came of it`);
  }
}

/** A document that stays due would be done for ever. */
function isUnchanged(account: Account, due: DueObject, testClock: string | null): boolean {
  const next = account.objects.nextDue(due.atSec, testClock);
  return next?.kind === due.kind && next.id === due.id && next.atSec === due.atSec;
}
