/** Counts a call whose handler may say its units itself, at any time. */

import type { Cost } from '../domain/route.js';
import { createTally, type Tally } from '../metering/tally.js';

/** A tally that takes a word. */
export interface SpokenTally extends Tally {
  /** What the handler says stands above everything that is counted. */
  say(units: number): void;
}

/** What is known of a call beside its answer's head. */
interface Signs {
  /** Whether it is known how long the request's body is. */
  hasLength: boolean;
  /** Whether all of the answer is here already. */
  isWhole(): boolean;
}

/** A tally that starts anew. While an answer goes on its handler may still speak, so its units are known at its end. */
export function createSpokenTally(cost: Cost, signs: Signs): SpokenTally {
  const counted = createTally(cost);
  let said: number | undefined;
  return {
    ...counted,
    head(answer, request) {
      const known = counted.head(answer, request);
      if (signs.isWhole()) return 'head';
      return known === 'whole' ? 'whole' : 'end';
    },
    read() {
      if (said !== undefined) return { units: said };
      if (cost.by === 'request-bytes' && !signs.hasLength) {
        return { why: 'the request does not tell its length, and was not counted' };
      }
      return counted.read();
    },
    say(units) {
      said = units;
    },
  };
}
