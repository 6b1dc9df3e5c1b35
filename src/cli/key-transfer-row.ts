/** A key as it is handed from one database to another: its terms and its hash, never its secret. */

import type { HashedKey, ImportedKey } from '../domain/key-hash.js';
import { formatQuota, formatRate } from '../domain/limit.js';
import { type DigestKind, formatKeyHash, parseKeyHash } from '../keys/parse-hash.js';
import type { Host } from '../lib/host.js';
import { rfc3339 } from '../lib/rfc3339.js';
import type { Row } from '../terminal/rows.js';
import { limitsOf } from './key-options.js';
import * as parse from './parse.js';
import { fieldsOf, type RowFields } from './row-fields.js';

/** The fields in the order in which they are written. */
export const transferFields = [
  'id',
  'customer',
  'name',
  'hint',
  'hash',
  'lookup',
  'foreign',
  'scopes',
  'ip_allow',
  'metadata',
  'rate',
  'quota',
  'max_in_flight',
  'created_at',
  'expires_at',
  'revoked_at',
  'last_used_at',
] as const;

/** The key as an object of JSON. */
export function transferJson({
  key,
  hash,
  limits,
}: HashedKey): Record<(typeof transferFields)[number], unknown> {
  return {
    id: key.id,
    customer: key.customerId,
    name: key.name,
    hint: key.hint,
    hash: formatKeyHash(hash),
    lookup: 'lookup' in hash ? hash.lookup : null,
    foreign: key.foreign,
    scopes: key.scopes,
    ip_allow: key.ipAllow,
    metadata: key.metadata,
    rate: limits?.rate ? formatRate(limits.rate) : null,
    quota: limits?.quota ? formatQuota(limits.quota) : null,
    max_in_flight: limits?.maxInFlight ?? null,
    created_at: rfc3339(key.createdAtMs),
    expires_at: key.expiresAtMs === null ? null : rfc3339(key.expiresAtMs),
    revoked_at: key.revokedAtMs === null ? null : rfc3339(key.revokedAtMs),
    last_used_at: key.lastUsedAtMs === null ? null : rfc3339(key.lastUsedAtMs),
  };
}

/** The key as fields of CSV. */
export function transferCsv(exported: HashedKey): Record<string, unknown> {
  const row = transferJson(exported);
  const { scopes, ipAllow, metadata } = exported.key;
  return {
    ...row,
    foreign: String(row.foreign),
    scopes: scopes.join(' '),
    ip_allow: ipAllow.join(' '),
    metadata: Object.keys(metadata).length === 0 ? '' : JSON.stringify(metadata),
  };
}

/** How rows are read that leave something open. */
export interface ImportDefaults {
  host: Pick<Host, 'clock' | 'ids'>;
  /** What a digest is that does not say. */
  digest: DigestKind;
}

/** Reads one row; all but customer and hash may be missing. Throws `invalid` with the line. */
export function importedKeyOf(row: Row, { host, digest }: ImportDefaults): ImportedKey {
  const fields = fieldsOf(row, transferFields);
  const lookup = fields.read('lookup', (text) => text);
  const hash = fields.require('hash', (text) => parseKeyHash(text, digest, lookup));
  return {
    ...termsOf(fields),
    id: fields.read('id', parse.id('key')) ?? host.ids.next('key'),
    customerId: fields.require('customer', parse.id('cus')),
    hint: fields.read('hint', parse.shortText) ?? hintOf(hash),
    hash,
    foreign: fields.flag('foreign') ?? true,
    createdAtMs: fields.time('created_at') ?? host.clock.nowMs(),
    revokedAtMs: fields.time('revoked_at') ?? null,
    lastUsedAtMs: fields.time('last_used_at') ?? null,
  };
}

function termsOf(fields: RowFields) {
  return {
    name: fields.read('name', parse.shortText) ?? null,
    metadata: fields.metadata(),
    scopes: fields.list('scopes', parse.scopes) ?? [],
    ipAllow: fields.list('ip_allow', parse.addressRanges) ?? [],
    limits: limitsOf({
      rate: fields.read('rate', parse.rate),
      quota: fields.read('quota', parse.quota),
      maxInFlight: fields.read('max_in_flight', parse.callsAtOnce),
    }),
    expiresAtMs: fields.time('expires_at') ?? null,
  };
}

function hintOf(hash: ImportedKey['hash']): string {
  return `${'lookup' in hash ? hash.lookup : ''}…`;
}
