/** Recognises keys that were issued elsewhere by the hash that came with them, and gives each its SHA-256 on first use. */

import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { MeterctlError } from '../domain/error.js';
import { lookupLength, type WaitingHash } from '../domain/key-hash.js';
import type { KeyTransferStore } from '../domain/key-store.js';
import { createGate } from '../lib/gate.js';
import type { Clock, Log } from '../lib/host.js';
import { createTryLimit } from '../lib/try-limit.js';

/** What recognising needs. */
export interface ForeignKeysDeps {
  store: KeyTransferStore;
  clock: Clock;
  log: Log;
  /** What imported HMAC-SHA-256 hashes are keyed with. */
  keyPepper: string | null;
}

/** Keys issued elsewhere. */
export interface ForeignKeys {
  /** Warns of keys that nobody can use, as only the pepper that is missing here could tell them. */
  warnOfPepper(): Promise<void>;
  /**
   * Whether a hash that waits fits the secret; that key is then found by its SHA-256. Throws `unavailable` when too many
   * secrets are being tried: the caller may come again.
   */
  adopt(secret: string, sha256: Uint8Array): Promise<boolean>;
}

/** Slow comparisons run on libuv's four threads, which files and names need too. */
const comparisons = { runningMax: 2, waitingMax: 32 };

/** Wrong guesses at one key that waits: a few, then one every ten seconds. Its owner needs one right one. */
const wrongGuesses = { burst: 5, refillMs: 10_000, namesMax: 10_000 };

/** Recognises keys; nothing runs in the background. */
export function createForeignKeys({ store, clock, log, keyPepper }: ForeignKeysDeps): ForeignKeys {
  const gate = createGate(comparisons);
  const guesses = createTryLimit({ clock, ...wrongGuesses });

  /** `undefined`: it could not be tried now. */
  async function fits(secret: string, waiting: WaitingHash): Promise<boolean | undefined> {
    // It was found by the digest itself.
    if (waiting.kind === 'hmac-sha256') return true;
    const name = String(waiting.keyNo);
    if (guesses.waitMs(name) > 0) return undefined;
    const right = await gate.pass(() => compare(secret, waiting, log));
    if (right === false) guesses.note(name);
    return right;
  }

  return {
    async warnOfPepper() {
      const keys = keyPepper === null ? await store.countWaitingHashes('hmac-sha256') : 0;
      if (keys > 0) log.warn('imported keys are refused while METERCTL_KEY_PEPPER is not set', { keys });
    },
    async adopt(secret, sha256) {
      let untried = false;
      for (const waiting of await store.findWaitingHashes(lookupsOf(secret, keyPepper))) {
        const right = await fits(secret, waiting);
        untried ||= right === undefined;
        if (!right) continue;
        await store.adoptHash(waiting.keyNo, sha256, { actor: 'system', atMs: clock.nowMs() });
        return true;
      }
      if (untried) throw busy();
      return false;
    },
  };
}

/** Under what a hash of this secret may wait: its keyed digest, and its first characters in every length. */
function lookupsOf(secret: string, pepper: string | null): string[] {
  const { min, max } = lookupLength;
  const lengths = Array.from({ length: max - min + 1 }, (_, index) => min + index);
  const starts = lengths.filter((length) => length <= secret.length).map((length) => secret.slice(0, length));
  return pepper === null ? starts : [keyedDigest(secret, pepper), ...starts];
}

function keyedDigest(secret: string, pepper: string): string {
  return createHmac('sha256', Buffer.from(pepper, 'utf8')).update(secret).digest('hex');
}

/** Both libraries compare on threads of their own, and in a time that tells nothing of the secret. */
async function compare(secret: string, { kind, encoded, keyNo }: WaitingHash, log: Log): Promise<boolean> {
  try {
    if (kind === 'bcrypt') return await (await import('@node-rs/bcrypt')).verify(secret, encoded);
    return await (await import('@node-rs/argon2')).verify(encoded, secret);
  } catch (error) {
    log.error('an imported hash cannot be compared', { keyNo, kind, error });
    return false;
  }
}

function busy(): MeterctlError {
  return new MeterctlError('unavailable', 'Too many keys are being tried for the first time right now.', {
    hint: 'Try again in a few seconds.',
  });
}
