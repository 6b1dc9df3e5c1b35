/** Names one bootstrap, so that an interrupted one that is run again is still the same to Stripe. */

import { hash } from 'node:crypto';
import { MeterctlError } from '../domain/error.js';
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
  /**
   * Creates a part under an Idempotency-Key that stays the same for the same values; that it begins is durable before `create`
   * is called. An error that Stripe has answered is replayed under its key like any answer, so the next try has another one.
   */
  create<T>(part: CatalogPart, values: unknown, create: (key: string) => Promise<T>): Promise<T>;
  /** Everything is made: the next bootstrap is another one. */
  end(): Promise<void>;
}

/** Goes on with the interrupted bootstrap, if there is one. Writes nothing before the first create. */
export async function openAttempt(store: IdentityStore, host: Host): Promise<Attempt> {
  const mark = await store.findMark(markName);
  const [startedAt, knownId, ...words] = mark?.split(' ') ?? [];
  const ageMs = host.clock.nowMs() - Number(startedAt);
  const resumed = knownId !== undefined && ageMs >= 0 && ageMs < replayMaxMs;
  const startedAtMs = resumed ? Number(startedAt) : host.clock.nowMs();
  const id = resumed ? knownId : host.ids.next('init');
  const { begun, failed } = partsOf(resumed ? words : []);
  const record = () => {
    const failures = failed.map((part) => `!${part}`);
    return store.recordMark(markName, [startedAtMs, id, ...begun, ...failures].join(' '));
  };
  return {
    hasBegun: (part) => begun.has(part),
    async create(part, values, create) {
      begun.add(part);
      await record();
      const failures = failed.filter((each) => each === part).length;
      const valuesHash = hash('sha256', JSON.stringify(values), 'hex').slice(0, 16);
      try {
        return await create(`${id}:${part}:${valuesHash}${failures === 0 ? '' : `:${failures + 1}`}`);
      } catch (error) {
        if (error instanceof MeterctlError && error.answered) {
          begun.delete(part);
          failed.push(part);
          await record();
        }
        throw error;
      }
    },
    async end() {
      if (mark !== undefined || begun.size + failed.length > 0) await store.recordMark(markName, undefined);
    },
  };
}

/** `price` was begun, `!price` was answered by an error, once for each time. Nothing but `record` above writes these words. */
function partsOf(words: string[]): { begun: Set<CatalogPart>; failed: CatalogPart[] } {
  const failed = words.filter((word) => word.startsWith('!')).map((word) => word.slice(1));
  const begun = words.filter((word) => !word.startsWith('!'));
  return { begun: new Set(begun as CatalogPart[]), failed: failed as CatalogPart[] };
}
