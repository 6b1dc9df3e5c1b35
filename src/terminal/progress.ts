/** Progress of long work, for a person at a terminal; the one home of cli-progress. */

import { Presets, SingleBar } from 'cli-progress';
import type { Screen } from './terminal.js';

/** A bar on the screen. Must be closed, which takes it off again. */
export interface Progress {
  /** How much is done. */
  update(done: number): void;
  close(): void;
}

/** Shows how much of `total` is done, and how long the rest may take. Nothing is written unless a person looks at it. */
export function openProgress(screen: Screen, noun: string, total: number): Progress {
  if (!screen.isTty) return { update: () => undefined, close: () => undefined };
  const format = `{bar} {value} of {total} ${noun}, about {eta_formatted} left`;
  const bar = new SingleBar(
    { stream: screen.stream, format, clearOnComplete: true, hideCursor: true, barsize: 30 },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: (done) => bar.update(done), close: () => bar.stop() };
}
