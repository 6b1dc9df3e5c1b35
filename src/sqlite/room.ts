/** Looks, inside the commit that writes usage, whether it still fits: other processes may have sold the same units. */

import type { RoomBound } from '../domain/room.js';
import type { Period } from '../domain/subscription.js';
import type { NewUsage } from '../domain/usage.js';
import type { UsageCount } from '../domain/usage-counts.js';
import type { Holding, OpenCallRows } from './open-calls.js';
import type { LedgerUnits } from './unit-counts.js';

/** What is asked of the room that a usage needs. */
type Asking = Pick<NewUsage, 'room' | 'atMs'>;

/** Gives out the room of one commit, in the order in which usage is written. */
export interface RoomCheck {
  /** Takes so many units, or none where they do not fit. Returns whether they do. */
  takeAll(asking: Asking, units: number): boolean;
  /** Takes as many of these units as the call holds already, and as are left beyond. From then on it holds what is returned. */
  takeUpTo(asking: Asking, units: number, holding: Holding): number;
}

/** Units of one count. */
interface Taken {
  /** As limits see them: in the ledger, and owed in other processes. */
  committed: number;
  /** By calls that run, and by this commit. */
  held: number;
}

/**
 * Told the present revision (`OtherUsage`). `undefined` where nobody else has written since any of it was let in: then all of it
 * fits, and nothing need be read.
 */
export type BeginRoomCheck = (
  entries: readonly { usage: Asking }[],
  revision: number,
) => RoomCheck | undefined;

/** Makes checks. They run inside a transaction of the caller's, under the write lock. */
export function createRoomChecks(parts: {
  ledgerUnits: LedgerUnits;
  openCalls: OpenCallRows;
}): BeginRoomCheck {
  return (entries, revision) => {
    const isLate = entries.some(({ usage: { room } }) => room !== undefined && room.asOf !== revision);
    return isLate ? createRoomCheck(parts) : undefined;
  };
}

function createRoomCheck(parts: { ledgerUnits: LedgerUnits; openCalls: OpenCallRows }): RoomCheck {
  const { ledgerUnits, openCalls } = parts;
  const counts = new Map<string, Taken>();
  /** What was found for a bound last. Calls of one caller share their bounds, and come at nearly the same time. */
  const found = new Map<RoomBound, { window: Period; taken: Taken }>();

  function count(bound: RoomBound, asked: UsageCount): Taken {
    const { own, others } = openCalls.sums(asked);
    const { units } = ledgerUnits(asked, bound.knownSum(asked.window));
    return { committed: units + others.owed, held: own.owed + own.held + others.held };
  }

  function find(bound: RoomBound, atMs: number): { window: Period; taken: Taken } {
    const last = found.get(bound);
    if (last && contains(last.window, atMs)) return last;
    const asked = bound.countAt(atMs);
    const name = JSON.stringify(asked);
    const taken = counts.get(name) ?? count(bound, asked);
    counts.set(name, taken);
    const present = { window: asked.window, taken };
    found.set(bound, present);
    return present;
  }

  /** The counts that bound the usage: what is left of each, and how much of that the call holds itself. */
  function placesOf({ room, atMs }: Asking, holding?: Holding) {
    return (room?.bounds ?? []).map((bound) => {
      const { window, taken } = find(bound, atMs);
      const own = holding && contains(window, holding.atMs) ? holding.heldUnits : 0;
      const committed = Math.max(0, taken.committed);
      return { taken, own, left: bound.unitsMax(taken.committed) - committed - taken.held + own };
    });
  }

  return {
    takeAll(asking, units) {
      const places = placesOf(asking);
      // What costs nothing always fits.
      if (units > 0 && places.some(({ left }) => units > left)) return false;
      for (const { taken } of places) taken.held += units;
      return true;
    },
    takeUpTo(asking, units, holding) {
      const places = placesOf(asking, holding);
      const granted = Math.min(units, ...places.map(({ left, own }) => Math.max(left, own, 0)));
      for (const { taken, own } of places) taken.held += granted - own;
      return granted;
    },
  };
}

function contains({ startMs, endMs }: Period, atMs: number): boolean {
  return atMs >= startMs && atMs < endMs;
}
