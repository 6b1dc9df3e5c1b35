/** The emulator's time: the machine's, plus an offset that `advance` moves and all processes share. */

import type { Clock } from '../lib/host.js';
import type { Settings } from './settings.js';

/** Time as this Stripe sees it. */
export interface EmulatorClock {
  nowMs(): number;
  /** Whole seconds since 1970, as Stripe stamps objects. */
  nowSec(): number;
  /** Moves time forward to `atSec`, for every process on this file. Throws on a time that has passed. */
  advanceTo(atSec: number): void;
}

/** Where the offset is stored, in milliseconds. */
export const clockOffsetKey = 'clock_offset_ms';

/** A clock over the stored offset. */
export function createEmulatorClock(clock: Clock, settings: Settings): EmulatorClock {
  const nowMs = () => clock.nowMs() + Number(settings.get(clockOffsetKey) ?? 0);
  return {
    nowMs,
    nowSec: () => Math.floor(nowMs() / 1000),
    advanceTo(atSec) {
      const aheadMs = atSec * 1000 - nowMs();
      if (aheadMs < -1000) throw new RangeError('The emulator can only advance: that time has passed.');
      settings.set(
        clockOffsetKey,
        String(Number(settings.get(clockOffsetKey) ?? 0) + Math.max(0, Math.ceil(aheadMs))),
      );
    },
  };
}
