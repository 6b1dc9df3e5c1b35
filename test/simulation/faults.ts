/** What is wrong with Stripe at a moment of a simulation. */

import type { Faults } from '../../src/emulator/faults.js';
import type { Dice } from './dice.js';
import { heldMs } from './machine.js';

const calm: Partial<Faults> = {
  ...{ rateLimited: 0, serverError: 0, badGateway: 0, resetBefore: 0, resetAfter: 0, latencyMs: 0 },
  ...{ outageUntilMs: 0, duplicateWebhooks: 0, reorderWebhooks: 0, requestsPerSecond: null },
  ...{ oneCallPerCustomerAndMeter: false },
};

/** Kinds of weather; each is drawn about as often as the others. */
const weathers: ((dice: Dice, trueMs: number) => Partial<Faults>)[] = [
  () => ({}),
  (dice) => ({ rateLimited: 0.7, retryAfterSec: dice.between(0, 30) }),
  () => ({ serverError: 0.6 }),
  () => ({ badGateway: 0.5, resetBefore: 0.3 }),
  () => ({ resetAfter: 0.7 }),
  () => ({ resetAfter: 1 }),
  () => ({
    rateLimited: 0.2,
    serverError: 0.2,
    badGateway: 0.1,
    resetBefore: 0.1,
    resetAfter: 0.2,
    latencyMs: heldMs,
  }),
  () => ({ latencyMs: heldMs, oneCallPerCustomerAndMeter: true }),
  () => ({ requestsPerSecond: 2 }),
  (dice, trueMs) => ({ outageUntilMs: trueMs + dice.between(1, 3_600_000) }),
  (dice, trueMs) => ({ outageUntilMs: trueMs + dice.between(1, 30 * 3_600_000) }),
];

/** Draws the weather. */
export function drawFaults(dice: Dice, trueMs: number): Partial<Faults> {
  return {
    ...calm,
    duplicateWebhooks: dice.pick([0, 0.5]),
    reorderWebhooks: dice.pick([0, 0.5]),
    ...dice.pick(weathers)(dice, trueMs),
  };
}
