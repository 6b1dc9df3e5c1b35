/** The audit log: who changed what, and when. Entries are written with the change and never altered. */

/** A person at the command line, a customer by one of his keys, a buyer, or the program itself. */
export type Actor = `cli:${string}` | `portal:${string}` | 'checkout' | 'system';

/** What was done, as noun and verb. */
export type AuditAction =
  | 'key.created'
  | 'key.changed'
  | 'key.rotated'
  | 'key.revoked'
  | 'key.imported'
  | 'key.rehashed'
  | 'limits.set'
  | 'customer.created'
  | 'customer.imported'
  | 'customer.suspended'
  | 'customer.resumed'
  | 'customer.cancelled'
  | 'usage.recorded'
  | 'usage.voided'
  | 'delivery.retried'
  | 'delivery.settled'
  | 'delivery.repaired'
  | 'webhook.replayed';

/** Who does something, and when: what every audited step of the store is told. */
export interface Act {
  actor: Actor;
  atMs: number;
}

/** An entry that is about to be written. */
export interface NewAuditEntry extends Act {
  action: AuditAction;
  /** The id of what was changed, `key_…` for instance. */
  subject: string;
  /** Whom it concerns. */
  customerId: string | null;
  /** What else is worth knowing; never a secret. */
  details: Record<string, unknown>;
}

/** An entry as the store keeps it. */
export interface AuditEntry extends Omit<NewAuditEntry, 'actor' | 'action'> {
  id: number;
  actor: string;
  action: string;
}

/** Which entries are listed. */
export interface AuditFilter {
  actor?: string | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  customerId?: string | undefined;
  /** From this time on. */
  fromMs?: number | undefined;
  /** Before this time. */
  toMs?: number | undefined;
}
