/** Time for what must neither start anew nor stand for long when the clock is set. */

/**
 * Turns the wall clock into time that only goes on. While the clock goes back it stands still: nobody is locked out until
 * the old time comes again, and nobody gets a new burst. A clock that leaps ahead fills a burst once, as waiting would have.
 */
export function createSteadyTime(): (nowMs: number) => number {
  let lastMs: number | undefined;
  let steadyMs = 0;
  return (nowMs) => {
    steadyMs += Math.max(0, nowMs - (lastMs ?? nowMs));
    lastMs = nowMs;
    return steadyMs;
  };
}
