/** Notices that the machine's clock was set back, also while no daemon ran, and what that makes of stamps. */

import type { Clock } from '../lib/host.js';
import type { Database } from './open.js';

/** A clock that is further behind than this was set back; clocks that are kept in step are never that far apart. */
const backMaxMs = 10 * 60_000;

/** How often the time is written down. */
const markEveryMs = 60_000;

const findMarkSql = `SELECT CAST(value AS INTEGER) FROM marks WHERE name = 'clock_ms'`;

const markSql = `
INSERT INTO marks (name, value) VALUES ('clock_ms', CAST(CAST(:nowMs AS INTEGER) AS TEXT))
ON CONFLICT (name) DO UPDATE SET value = excluded.value`;

/**
 * Stripe remembers an identifier for a day, so how long a send has been unknown decides whether it may go out again. Stamped
 * by a clock that was ahead it seems younger than it is: then it counts as unknown for ever, and is compared with Stripe.
 */
const doubtSql = `
UPDATE deliveries SET
  unknown_since_ms = 0,
  unknown_before_claim_ms = CASE WHEN unknown_before_claim_ms IS NULL THEN NULL ELSE 0 END
WHERE unknown_since_ms IS NOT NULL AND state IN ('pending', 'claimed', 'refused')`;

/**
 * The same database, whose writes look at the clock first. The time is written down with what is written anyway, so that it
 * costs no commit of its own.
 */
export function watchClock(database: Database, clock: Clock): Database {
  const findMark = database.connection.prepare<[], number>(findMarkSql).pluck();
  const mark = database.connection.prepare<[{ nowMs: number }]>(markSql);
  const doubt = database.connection.prepare<[]>(doubtSql);
  let seen = { latestMs: 0, nextMarkMs: 0 };

  /** What is to be remembered once the transaction is committed: taken back, it must be noticed again. */
  function look(nowMs: number): typeof seen {
    const { latestMs, nextMarkMs } = seen;
    if (nowMs >= latestMs - backMaxMs && nowMs < nextMarkMs)
      return { latestMs: Math.max(latestMs, nowMs), nextMarkMs };
    // Another process may have seen a later time.
    if (nowMs < Math.max(latestMs, findMark.get() ?? 0) - backMaxMs) doubt.run();
    mark.run({ nowMs });
    return { latestMs: nowMs, nextMarkMs: nowMs + markEveryMs };
  }

  return {
    ...database,
    write<T>(step: () => T): T | Promise<T> {
      let looked = seen;
      const written = database.write(() => {
        looked = look(clock.nowMs());
        return step();
      });
      const noteWritten = (result: T) => {
        seen = looked;
        return result;
      };
      return written instanceof Promise ? written.then(noteWritten) : noteWritten(written);
    },
  };
}
