/** The queue of webhooks that are owed: one row for each event and each place it goes to. */

import type { Database } from '../database.js';
import type { ObjectStore } from '../object-store.js';
import type { Settings } from '../settings.js';

/** Where `openEmulator`'s `forwardTo` stands in the queue, beside endpoints (`we_…`) and destinations (`ed_…`). */
export const forwardDestination = 'forward';

/** Which of the two families an event is of. */
type EventKind = 'event' | 'thin_event';

/** A delivery that has been claimed. */
export interface ClaimedDelivery {
  id: number;
  eventKind: EventKind;
  eventId: string;
  destination: string;
  attempts: number;
  /** It has been held back already, and is so once only. */
  heldBack: boolean;
}

/** What became of an attempt. */
type Attempt =
  | { outcome: 'delivered'; answer: string }
  | { outcome: 'again'; answer: string; nextAttemptMs: number }
  | { outcome: 'failed'; answer: string };

/** The queue. Times are of the machine's clock, because receivers live in it. */
export interface DeliveryQueue {
  /** Queues an event for everybody who asked for its type. `hasSnapshot`: a thin event that only repeats a snapshot. */
  add(kind: EventKind, eventId: string, type: string, hasSnapshot?: boolean): void;
  /** Takes due deliveries for itself until the lease ends. `forward`: also those of the forwarding listener. */
  claim(options: { forward: boolean; limit: number; leaseMs: number }): ClaimedDelivery[];
  settle(id: number, attempt: Attempt): void;
  /** Gives a claimed delivery back unsent, due at a later time. */
  holdBack(id: number, untilMs: number): void;
  /** Deliveries of an event that have not succeeded (yet). */
  outstanding(eventId: string): { pending: number; failed: number };
  /** From now on the forwarding listener gets its copies, whichever process emits. */
  startForwarding(): void;
}

type DueRow = Omit<ClaimedDelivery, 'heldBack'> & { heldBack: number };

const forwardingKey = 'forwarding';

/** The queue in an open file. `onAdd` is told when something was queued, before it is committed. */
export function createDeliveryQueue(
  database: Database,
  objects: ObjectStore,
  settings: Settings,
  nowMs: () => number,
  onAdd: () => void,
): DeliveryQueue {
  const { sql } = database;
  const insert = sql.prepare<[string, string, string, number]>(`
    INSERT INTO webhook_deliveries (event_kind, event_id, destination, state, next_attempt_ms)
    VALUES (?, ?, ?, 'pending', ?)`);
  const due = sql.prepare<[number, number, number, string, number], DueRow>(`
    SELECT id, event_kind AS eventKind, event_id AS eventId, destination, attempts, held_back AS heldBack
    FROM webhook_deliveries
    WHERE state = 'pending' AND next_attempt_ms <= ? AND lease_until_ms <= ? AND (? = 1 OR destination <> ?)
    ORDER BY next_attempt_ms, id LIMIT ?`);
  const lease = sql.prepare<[number, number]>(
    'UPDATE webhook_deliveries SET lease_until_ms = ? WHERE id = ?',
  );
  const finish = sql.prepare<[string, number, string, number]>(`
    UPDATE webhook_deliveries
    SET state = ?, attempts = attempts + 1, lease_until_ms = 0, next_attempt_ms = ?, last_answer = ? WHERE id = ?`);
  const release = sql.prepare<[number, number]>(
    'UPDATE webhook_deliveries SET lease_until_ms = 0, next_attempt_ms = ?, held_back = 1 WHERE id = ?',
  );
  const states = sql.prepare<[string], { pending: number; failed: number }>(`
    SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'failed') AS failed
    FROM webhook_deliveries WHERE event_id = ?`);

  return {
    add(kind, eventId, type, hasSnapshot = false) {
      const wanted = [...subscribers(objects, kind, type)];
      if (settings.get(forwardingKey) !== undefined && !hasSnapshot) wanted.push(forwardDestination);
      for (const destination of wanted) insert.run(kind, eventId, destination, nowMs());
      if (wanted.length > 0) onAdd();
    },
    claim({ forward, limit, leaseMs }) {
      const now = nowMs();
      const find = () => due.all(now, now, forward ? 1 : 0, forwardDestination, limit);
      // A look costs nothing; only what is found is worth a transaction that holds others up.
      if (find().length === 0) return [];
      return database.write(() => {
        const rows = find();
        for (const row of rows) lease.run(now + leaseMs, row.id);
        return rows.map((row) => ({ ...row, heldBack: row.heldBack === 1 }));
      });
    },
    settle(id, attempt) {
      const next = attempt.outcome === 'again' ? attempt.nextAttemptMs : nowMs();
      finish.run(attempt.outcome === 'again' ? 'pending' : attempt.outcome, next, attempt.answer, id);
    },
    holdBack: (id, untilMs) => void release.run(untilMs, id),
    outstanding: (eventId) => states.get(eventId) ?? { pending: 0, failed: 0 },
    startForwarding: () => settings.set(forwardingKey, 'on'),
  };
}

/** Ids of the enabled endpoints and destinations that asked for a type. */
function* subscribers(objects: ObjectStore, kind: EventKind, type: string): Generator<string> {
  const wants = (types: string[]) => types.includes('*') || types.includes(type);
  if (kind === 'event') {
    for (const endpoint of objects.all('webhook_endpoint', { fields: { status: 'enabled' } })) {
      if (wants(endpoint.enabled_events)) yield endpoint.id;
    }
  }
  const payload = kind === 'event' ? 'snapshot' : 'thin';
  const filter = { fields: { status: 'enabled', event_payload: payload } };
  for (const destination of objects.all('event_destination', filter)) {
    if (wants(destination.enabled_events)) yield destination.id;
  }
}
