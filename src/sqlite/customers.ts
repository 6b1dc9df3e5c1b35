/** Customers and their subscriptions, in SQLite. */

import assert from 'node:assert';
import type { Act, AuditAction } from '../domain/audit.js';
import type { Customer } from '../domain/customer.js';
import type { CustomerStore } from '../domain/store.js';
import type { Subscription } from '../domain/subscription.js';
import type { Clock } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';
import { createSubscriptions } from './subscriptions.js';

/** A customer without its subscriptions. */
type CustomerRow = Omit<Customer, 'subscriptions'>;

const columns = `no, id, email, name, created_at_ms AS createdAtMs, suspended_at_ms AS suspendedAtMs,
  deleted_at_ms AS deletedAtMs, readings`;

/**
 * A customer that Stripe deleted stays deleted, even when an older reading comes late: Stripe never brings one back. Stripe
 * tells nothing but the id of a deleted customer, so e-mail and name stay as they were.
 */
const recordSql = `
INSERT INTO customers (id, email, name, created_at_ms, deleted_at_ms, readings)
VALUES (:id, :email, :name, :createdAtMs, :deletedAtMs, 1)
ON CONFLICT (id) DO UPDATE SET
  email = CASE WHEN excluded.deleted_at_ms IS NULL THEN excluded.email ELSE email END,
  name = CASE WHEN excluded.deleted_at_ms IS NULL THEN excluded.name ELSE name END,
  deleted_at_ms = COALESCE(deleted_at_ms, excluded.deleted_at_ms),
  readings = readings + 1
RETURNING ${columns}`;

/** Reads customers for the other nouns, inside a transaction of theirs. */
export interface CustomerReader {
  find(id: string): Customer | undefined;
  findByNo(no: number): Customer | undefined;
}

/** The customer part of the contract, and the reader that keys and checkouts use. */
export function createCustomers(
  database: Database,
  clock: Clock,
  audit: AuditWriter,
): CustomerStore & { customers: CustomerReader } {
  const { connection, read, write } = database;
  const { record, findById, findByNo, list } = prepareStatements(connection);
  const subscriptions = createSubscriptions(connection);

  function withSubscriptions(row: CustomerRow): Customer {
    return toCustomer(row, subscriptions.listOf(row.no, row.id));
  }

  function whole(row: CustomerRow | undefined): Customer | undefined {
    return row && withSubscriptions(row);
  }

  return {
    customers: {
      find: (id) => whole(findById.get(id)),
      findByNo: (no) => whole(findByNo.get(no)),
    },
    async recordReading({ customer: { deleted, ...customer }, subscriptions: told, follows }) {
      return write(() => {
        if ((findById.get(customer.id)?.readings ?? 0) !== follows) return 'stale';
        const row = record.get({ ...customer, deletedAtMs: deleted ? clock.nowMs() : null });
        assert(row);
        for (const subscription of told) {
          assert.equal(
            subscription.customerId,
            customer.id,
            'a subscription is of the customer that was read',
          );
          subscriptions.record(subscription, row.no);
        }
        return withSubscriptions(row);
      });
    },
    async findCustomer(id) {
      return read(() => whole(findById.get(id)));
    },
    async listCustomers(page) {
      const after = keyOfCursor('customers', 1, page)?.[0] ?? null;
      return read(() => {
        const rows = list.all(after, after, page.limit + 1);
        return pageOf('customers', page.limit, rows, (row) => [row.no], withSubscriptions);
      });
    },
    async isSubscribed(priceId) {
      return read(() => subscriptions.haveAny(priceId));
    },
    ...createAccessMarks(database, audit, whole),
  };
}

/** Written out for one shape, as in `toKey`. */
function toCustomer(row: CustomerRow, subscriptions: Subscription[]): Customer {
  return {
    no: row.no,
    id: row.id,
    email: row.email,
    name: row.name,
    createdAtMs: row.createdAtMs,
    suspendedAtMs: row.suspendedAtMs,
    deletedAtMs: row.deletedAtMs,
    readings: row.readings,
    subscriptions,
  };
}

/** What the operator says of a customer's access. */
function createAccessMarks(
  { connection, write }: Database,
  audit: AuditWriter,
  whole: (row: CustomerRow | undefined) => Customer | undefined,
): Pick<CustomerStore, 'recordSuspension' | 'recordClosing'> {
  const { findById, suspend } = prepareStatements(connection);
  const subscriptions = createSubscriptions(connection);

  function note(customerId: string, action: AuditAction, act: Act): void {
    audit.record({ ...act, action, subject: customerId, customerId, details: {} });
  }

  return {
    async recordSuspension(customerId, suspended, act) {
      return write(() => {
        const before = findById.get(customerId);
        if (!before || (before.suspendedAtMs !== null) === suspended) return whole(before);
        note(customerId, suspended ? 'customer.suspended' : 'customer.resumed', act);
        return whole(suspend.get(suspended ? act.atMs : null, customerId));
      });
    },
    async recordClosing(customerId, closing, act) {
      return write(() => {
        const row = findById.get(customerId);
        if (row && subscriptions.close(row.no, closing ? act.atMs : null) > 0) {
          note(customerId, closing ? 'customer.cancelled' : 'customer.resumed', act);
        }
        return whole(row);
      });
    },
  };
}

function prepareStatements(connection: Database['connection']) {
  return {
    record: connection.prepare<[Record<string, unknown>], CustomerRow>(recordSql),
    findById: connection.prepare<[string], CustomerRow>(`SELECT ${columns} FROM customers WHERE id = ?`),
    findByNo: connection.prepare<[number], CustomerRow>(`SELECT ${columns} FROM customers WHERE no = ?`),
    list: connection.prepare<[number | null, number | null, number], CustomerRow>(
      `SELECT ${columns} FROM customers WHERE ? IS NULL OR no < ? ORDER BY no DESC LIMIT ?`,
    ),
    suspend: connection.prepare<[number | null, string], CustomerRow>(
      `UPDATE customers SET suspended_at_ms = ? WHERE id = ? RETURNING ${columns}`,
    ),
  };
}
