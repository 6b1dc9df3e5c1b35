/** Brings a database to the present schema: numbered steps, forward only, each in its own transaction. */

import type { Database as Connection } from 'better-sqlite3';
import { MeterctlError } from '../domain/error.js';
import { identitySql } from './migrations/001-identity.js';
import { accessSql } from './migrations/002-access.js';
import { ledgerSql } from './migrations/003-ledger.js';
import { inboxSql } from './migrations/004-inbox.js';
import { auditSql } from './migrations/005-audit.js';
import { limitsSql } from './migrations/006-limits.js';
import { answersSql } from './migrations/007-answers.js';
import { alertsSql } from './migrations/008-alerts.js';
import { oldMessagesSql } from './migrations/009-old-messages.js';
import { hurriedLanesSql } from './migrations/010-hurried-lanes.js';
import { openCallsSql } from './migrations/011-open-calls.js';
import { keyedOpenCallsSql } from './migrations/012-keyed-open-calls.js';
import { abandonedCheckoutsSql } from './migrations/013-abandoned-checkouts.js';
import { heldUnitsSql } from './migrations/014-held-units.js';
import { answerClaimsSql } from './migrations/015-answer-claims.js';
import { foldedRollupsSql } from './migrations/016-folded-rollups.js';
import { deliveryRowsSql } from './migrations/017-delivery-rows.js';

/** Step `n` stands at index `n - 1`, and brings `user_version` to `n`. Never edited once released, only added to. */
const migrations: readonly string[] = [
  identitySql,
  accessSql,
  ledgerSql,
  inboxSql,
  auditSql,
  limitsSql,
  answersSql,
  alertsSql,
  oldMessagesSql,
  hurriedLanesSql,
  openCallsSql,
  keyedOpenCallsSql,
  abandonedCheckoutsSql,
  heldUnitsSql,
  answerClaimsSql,
  foldedRollupsSql,
  deliveryRowsSql,
];

/** Marks a file as ours in SQLite's header: "mete" in ASCII. */
const applicationId = 0x6d657465;

/** Migrates what is older and refuses what is newer or somebody else's (`conflict`). */
export function migrate(connection: Connection, path: string): void {
  refuseForeign(connection, path);
  for (let next = versionOf(connection); next < migrations.length; next += 1) {
    connection
      .transaction(() => {
        // Another process may have migrated since the version was read; under the write lock it stands still.
        if (versionOf(connection) !== next) return;
        connection.exec(migrations[next] ?? '');
        connection.pragma(`application_id = ${applicationId}`);
        connection.pragma(`user_version = ${next + 1}`);
      })
      .immediate();
  }
  const version = versionOf(connection);
  if (version > migrations.length) {
    throw new MeterctlError(
      'conflict',
      `${path} was written by a newer meterctl: its schema is ${version}, this program knows up to ${migrations.length}.`,
      { hint: 'Install the newer meterctl, or name another database.' },
    );
  }
}

function versionOf(connection: Connection): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

/** An empty file may become ours; a file with tables must carry our mark. */
function refuseForeign(connection: Connection, path: string): void {
  if (connection.pragma('application_id', { simple: true }) === applicationId) return;
  if (connection.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined) return;
  throw new MeterctlError('conflict', `${path} is the database of another program.`, {
    hint: 'Name another file with --database or METERCTL_DATABASE.',
  });
}
