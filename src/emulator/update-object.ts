/** The one way objects change: written, and told about with what they were before. */

import type { Account } from './account.js';
import { previousAttributes } from './billing/previous-attributes.js';
import type { ObjectKind, Stored } from './object-kinds.js';

/** Writes `after` and emits `type` when it differs from `before`. */
export function updateObject<Kind extends ObjectKind>(
  account: Account,
  kind: Kind,
  before: Stored<Kind> & { object: string },
  after: Stored<Kind> & { object: string },
  type: string,
): Stored<Kind> {
  const previous = previousAttributes<object>(before, after);
  if (previous === undefined) return before;
  account.objects.put(kind, after);
  account.emit(type, after, previous);
  return after;
}
