/** Names one bootstrap, so that an interrupted one that is run again is still the same to Stripe. */

import { hash } from 'node:crypto';
import type { IdentityStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import type { CatalogPart } from './plan.js';

/** Stripe replays the answer to an Idempotency-Key for at least 24 hours (stripe-facts 9); an hour is kept as a margin. */
const replayMaxMs = 23 * 3_600_000;

const markName = 'bootstrap_attempt';

/** A bootstrap that has begun and not ended. */
export interface Attempt {
  /** Whether a run of this attempt began to create the part, so that Stripe may have it and would replay its answer. */
  hasBegun(part: CatalogPart): boolean;
  /** The Idempotency-Key of one create, the same for the same values; that it begins is durable before this returns. */
  begin(part: CatalogPart, values: unknown): Promise<string>;
  /** Everything is made: the next bootstrap is another one. */
  end(): Promise<void>;
}

/** Goes on with the interrupted bootstrap, if there is one. Writes nothing before the first create. */
export async function openAttempt(store: IdentityStore, host: Host): Promise<Attempt> {
  const mark = await store.findMark(markName);
  const [startedAt, knownId, ...parts] = mark?.split(' ') ?? [];
  const ageMs = host.clock.nowMs() - Number(startedAt);
  const resumed = knownId !== undefined && ageMs >= 0 && ageMs < replayMaxMs;
  const startedAtMs = resumed ? Number(startedAt) : host.clock.nowMs();
  const id = resumed ? knownId : host.ids.next('init');
  const begun = new Set<string>(resumed ? parts : []);
  return {
    hasBegun: (part) => begun.has(part),
    async begin(part, values) {
      begun.add(part);
      await store.recordMark(markName, [startedAtMs, id, ...begun].join(' '));
      return `${id}:${part}:${hash('sha256', JSON.stringify(values), 'hex').slice(0, 16)}`;
    },
    async end() {
      if (mark !== undefined || begun.size > 0) await store.recordMark(markName, undefined);
    },
  };
}
