/** What the audit log tells of keys. */

import type { Act, AuditAction } from '../domain/audit.js';
import type { ApiKey, KeyTerms } from '../domain/key.js';
import type { AuditWriter } from './audit.js';

/** Notes what was done to a key. */
export type NoteKey = (
  key: Pick<ApiKey, 'id' | 'customerId'>,
  action: AuditAction,
  act: Act,
  details?: object,
) => void;

/** A writer of notes. */
export function createKeyNotes(audit: AuditWriter): NoteKey {
  return ({ id, customerId }, action, { actor, atMs }, details = {}) =>
    audit.record({ actor, atMs, action, subject: id, customerId, details: { ...details } });
}

/** What was decided about a key when it was made. */
export function termsOf({ name, metadata, scopes, ipAllow, expiresAtMs }: KeyTerms): KeyTerms {
  return { name, metadata, scopes, ipAllow, expiresAtMs };
}
