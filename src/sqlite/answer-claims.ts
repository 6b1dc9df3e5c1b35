/** Keys of calls that are being carried out, in SQLite. */

import assert from 'node:assert';
import type { AnswerClaim, AnswerClaimStore, KeptAnswer, RunningCall } from '../domain/answer.js';
import type { SeenRunner } from '../domain/runner.js';
import type { Database } from './open.js';

/** What the runner itself has left there it did not manage to give free. */
const claimSql = `
INSERT INTO answer_claims (customer_no, idempotency_key, fingerprint, runner, no, seen_at_ms)
VALUES (:customerNo, :idempotencyKey, :fingerprint, :runner, :no, :seenAtMs)
ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, no = excluded.no, seen_at_ms = excluded.seen_at_ms
WHERE runner = excluded.runner`;

const findSql = 'SELECT fingerprint FROM answer_claims WHERE customer_no = ? AND idempotency_key = ?';

const releaseSql = `
DELETE FROM answer_claims
WHERE customer_no = :customerNo AND idempotency_key = :idempotencyKey AND runner = :runner AND no = :no`;

const listSql = 'SELECT runner, max(seen_at_ms) AS seenAtMs FROM answer_claims GROUP BY runner';

const removeSql = `
DELETE FROM answer_claims
WHERE runner = :runner AND (SELECT max(seen_at_ms) FROM answer_claims WHERE runner = :runner) = :seenAtMs`;

/** Claims part of the contract. `find` finds, inside a transaction, what there is under a key but for claims. */
export function createAnswerClaims(
  { connection, read, writeUnsynced }: Database,
  find: (customerNo: number, idempotencyKey: string, nowMs: number) => KeptAnswer | RunningCall | undefined,
): AnswerClaimStore {
  const claim = connection.prepare<[AnswerClaim & { seenAtMs: number }]>(claimSql);
  const findClaim = connection.prepare<[number, string], Uint8Array>(findSql).pluck();
  const release = connection.prepare<[Omit<AnswerClaim, 'fingerprint'>]>(releaseSql);
  const list = connection.prepare<[], SeenRunner>(listSql);
  const remove = connection.prepare<[SeenRunner]>(removeSql);
  return {
    claimAnswer: (asked, { nowMs, seenAtMs }) =>
      writeUnsynced(() => {
        const { customerNo, idempotencyKey } = asked;
        const found = find(customerNo, idempotencyKey, nowMs);
        if (found) return found;
        if (claim.run({ ...asked, seenAtMs }).changes > 0) return 'claimed';
        const fingerprint = findClaim.get(customerNo, idempotencyKey);
        assert(fingerprint);
        return { fingerprint, status: 'running' };
      }),
    releaseAnswers: (claims) => writeUnsynced(() => claims.forEach((one) => void release.run(one))),
    renewClaims: (claims, seenAtMs) =>
      writeUnsynced(() => claims.forEach((one) => void claim.run({ ...one, seenAtMs }))),
    listClaimants: async () => read(() => list.all()),
    removeClaims: (claimant) => writeUnsynced(() => remove.run(claimant).changes),
  };
}
