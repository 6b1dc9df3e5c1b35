/** Notes in the audit log what a command has changed, where the store does not do so with the change. */

import type { NewAuditEntry } from '../domain/audit.js';
import type { Context } from './context.js';

/** Writes who did it, and when. */
export async function noteInAudit(
  context: Context,
  entry: Omit<NewAuditEntry, 'actor' | 'atMs'>,
): Promise<void> {
  const atMs = (await context.host()).clock.nowMs();
  await (await context.store()).recordAudit({ ...entry, actor: context.actor, atMs });
}
