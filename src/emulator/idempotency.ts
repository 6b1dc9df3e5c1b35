/** Idempotency keys: the first answer under a key is the answer under it for 24 hours (stripe-facts 9). */

import { createHash } from 'node:crypto';
import { ApiError } from './api-error.js';
import type { Database } from './database.js';

/** How long an answer is kept, in the emulator's time. */
const keptSec = 24 * 3600;

/** How long a call that never finished (its process died) holds its key, in the machine's time. */
const leaseMs = 30_000;

/** An answer that can be given again. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
}

/** A call under a key. */
interface KeyedCall {
  key: string;
  /** Method and path, as Stripe names the endpoint in its refusal. */
  endpoint: string;
  parameters: unknown;
  requestId: string;
  nowSec: number;
  nowMs: number;
  /** How long the call will be held up before it runs. */
  latencyMs: number;
}

/** The keys of an account. */
export interface IdempotencyKeys {
  /**
   * Takes the key for this call, or hands back the answer that stands under it. Throws `idempotency_error` when the key
   * was used for something else, and 409 while another call under it runs.
   */
  begin(call: KeyedCall): Answer | undefined;
  /** Keeps the answer of the call that took the key. */
  finish(key: string, answer: Answer): void;
  /** Lets the key go: nothing happened that is worth keeping. */
  release(key: string): void;
}

interface Row {
  fingerprint: string;
  endpoint: string;
  lease_until_ms: number;
  request_id: string;
  status: number | null;
  headers: string | null;
  body: string | null;
}

/** The keys in an open file. */
export function createIdempotencyKeys({ sql, write }: Database): IdempotencyKeys {
  const forget = sql.prepare<[number]>('DELETE FROM idempotency_keys WHERE created < ?');
  const select = sql.prepare<[string], Row>(
    'SELECT fingerprint, endpoint, lease_until_ms, request_id, status, headers, body FROM idempotency_keys WHERE key = ?',
  );
  const take = sql.prepare<[string, string, string, number, number, string]>(`
    INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, endpoint, created, lease_until_ms, request_id)
    VALUES (?, ?, ?, ?, ?, ?)`);
  const keep = sql.prepare<[number, string, string, string]>(
    'UPDATE idempotency_keys SET status = ?, headers = ?, body = ? WHERE key = ?',
  );
  const remove = sql.prepare<[string]>('DELETE FROM idempotency_keys WHERE key = ?');

  return {
    begin(call) {
      if (call.key.length > 255) {
        throw new ApiError('Keys for idempotent requests can be at most 255 characters long.', {
          type: 'idempotency_error',
        });
      }
      const fingerprint = createHash('sha256').update(canonical(call.parameters)).digest('hex');
      return write(() => {
        forget.run(call.nowSec - keptSec);
        const row = select.get(call.key);
        if (row) {
          const answer = standing(row, call, fingerprint);
          if (answer) return answer;
        }
        const leaseUntilMs = call.nowMs + leaseMs + call.latencyMs;
        take.run(call.key, fingerprint, call.endpoint, call.nowSec, leaseUntilMs, call.requestId);
        return undefined;
      });
    },
    finish: (key, answer) => void keep.run(answer.status, JSON.stringify(answer.headers), answer.body, key),
    release: (key) => void remove.run(key),
  };
}

/** The answer under a key in use; undefined when the call that held it died. Throws on misuse. */
function standing(row: Row, call: KeyedCall, fingerprint: string): Answer | undefined {
  if (row.endpoint !== call.endpoint) {
    throw new ApiError(
      'Keys for idempotent requests can only be used for the same endpoint they were first used for ' +
        `('${call.endpoint}' vs '${row.endpoint}'). Try using a key other than '${call.key}' if you meant to execute a different request.`,
      { type: 'idempotency_error' },
    );
  }
  if (row.fingerprint !== fingerprint) {
    throw new ApiError(
      'Keys for idempotent requests can only be used with the same parameters they were first used with. ' +
        `Try using a key other than '${call.key}' if you meant to execute a different request.`,
      { type: 'idempotency_error' },
    );
  }
  if (row.status !== null && row.body !== null && row.headers !== null) {
    return {
      status: row.status,
      headers: {
        ...(JSON.parse(row.headers) as Answer['headers']),
        'Idempotent-Replayed': 'true',
        'Original-Request': row.request_id,
      },
      body: row.body,
    };
  }
  if (row.lease_until_ms > call.nowMs) {
    throw new ApiError(
      'There is currently another in-progress request using this Idempotent Key (that probably means you submitted ' +
        `twice, and the other request is still going through): ${call.key}. Please try again later.`,
      { status: 409, code: 'idempotency_key_in_use', type: 'idempotency_error' },
    );
  }
  return undefined;
}

/** JSON with sorted keys: the same parameters give the same text in whatever order they came. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
