/** Names one bootstrap, so that an interrupted one that is run again is still the same to Stripe. */

import { hash } from 'node:crypto';
import type { IdentityStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';

/** Stripe replays the answer to an Idempotency-Key for at least 24 hours (stripe-facts 9); an hour is kept as a margin. */
const replayMaxMs = 23 * 3_600_000;

const markName = 'bootstrap_attempt';

/** A bootstrap that has begun and not ended. */
export interface Attempt {
  /** Whether an earlier run was interrupted, so that Stripe may replay its answers. */
  resumed: boolean;
  /** The Idempotency-Key of one create: the same for the same values, another for others. */
  keyOf(part: string, values: unknown): string;
  /** Everything is made: the next bootstrap is another one. */
  end(): Promise<void>;
}

/** Goes on with the interrupted bootstrap, or begins one; durable before anything is created. */
export async function beginAttempt(store: IdentityStore, host: Host): Promise<Attempt> {
  const nowMs = host.clock.nowMs();
  const [startedAt, known] = (await store.findMark(markName))?.split(' ') ?? [];
  const startedAtMs = Number(startedAt);
  const resumed = known !== undefined && nowMs - startedAtMs >= 0 && nowMs - startedAtMs < replayMaxMs;
  const id = resumed ? known : host.ids.next('init');
  if (!resumed) await store.recordMark(markName, `${nowMs} ${id}`);
  return {
    resumed,
    keyOf: (part, values) => `${id}:${part}:${hash('sha256', JSON.stringify(values), 'hex').slice(0, 16)}`,
    end: () => store.recordMark(markName, undefined),
  };
}
