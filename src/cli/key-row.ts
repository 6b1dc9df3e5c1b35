/** A key as the command line shows it: never its secret. */

import { MeterctlError } from '../domain/error.js';
import { type ApiKey, keyStatus } from '../domain/key.js';
import { formatQuota, formatRate, type Limits } from '../domain/limit.js';
import type { RotateDeps } from '../keys/rotate.js';
import { secretPrefix } from '../keys/secret.js';
import { rfc3339 } from '../lib/rfc3339.js';
import { countText } from '../terminal/money.js';
import { paintStatus } from '../terminal/paint.js';
import { pairsText } from '../terminal/table.js';
import { timeText } from '../terminal/time.js';
import type { Context } from './context.js';

/** The key as scripts read it. */
export function keyJson(key: ApiKey, nowMs: number) {
  return {
    id: key.id,
    hint: key.hint,
    customer: key.customerId,
    name: key.name,
    status: keyStatus(key, nowMs),
    scopes: key.scopes,
    ip_allow: key.ipAllow,
    metadata: key.metadata,
    created_at: rfc3339(key.createdAtMs),
    expires_at: timeOrNull(key.expiresAtMs),
    revoked_at: timeOrNull(key.revokedAtMs),
    last_used_at: timeOrNull(key.lastUsedAtMs),
  };
}

/** What a command needs to make keys. */
export async function issueDeps(context: Context): Promise<RotateDeps> {
  const { auth, mode } = context.readySettings();
  const prefix = secretPrefix(auth.keyPrefix, mode);
  return { store: await context.store(), host: await context.host(), secretPrefix: prefix };
}

/** A new key as scripts read it: the one place where the secret is shown. */
export function newKeyJson({ key, secret }: { key: ApiKey; secret: string }, nowMs: number) {
  const { id, ...row } = keyJson(key, nowMs);
  return { id, key: secret, ...row };
}

/** The key with this id. Throws `not_found`. */
export async function findKey(context: Context, id: string): Promise<ApiKey> {
  const key = await (await context.store()).findKey(id);
  if (key) return key;
  throw new MeterctlError('not_found', `There is no key ${id}.`, { hint: 'See meterctl keys list' });
}

/** Shows one key, with the limits that were set for it. */
export async function showKey(context: Context, key: ApiKey, nowMs: number): Promise<void> {
  const { stdout } = context.terminal;
  const { key: limits = {} } = await (await context.store()).findLimits({ keyId: key.id });
  const row = { ...keyJson(key, nowMs), ...keyLimitsJson(limits) };
  const ends = key.revokedAtMs !== null && row.status !== 'revoked';
  const metadata = Object.entries(row.metadata).map(([name, value]) => `${name}=${value}`);
  context.show({
    json: () => row,
    text: () =>
      pairsText(stdout, [
        ['id', row.id],
        ['key', row.hint],
        ['customer', row.customer],
        ['name', row.name ?? undefined],
        ['status', { text: row.status, paint: (text) => paintStatus(context.paint, text) }],
        ['scopes', row.scopes.length === 0 ? 'everything' : row.scopes.join(', ')],
        ['used from', row.ip_allow.length === 0 ? 'everywhere' : row.ip_allow.join(', ')],
        ['rate', row.rate ?? undefined],
        ['quota', row.quota ?? undefined],
        ['in flight', row.max_in_flight === null ? undefined : countText(row.max_in_flight)],
        ['metadata', metadata.length === 0 ? undefined : metadata.join(', ')],
        ['created', timeText(stdout, key.createdAtMs, nowMs)],
        ['expires', timeText(stdout, key.expiresAtMs, nowMs)],
        [
          ends ? 'ends' : 'revoked',
          key.revokedAtMs === null ? undefined : timeText(stdout, key.revokedAtMs, nowMs),
        ],
        ['last used', timeText(stdout, key.lastUsedAtMs, nowMs)],
      ]),
  });
}

/** The limits that a key can have as well, as scripts read them. */
export function keyLimitsJson({ rate, quota, maxInFlight }: Limits) {
  return {
    rate: rate ? formatRate(rate) : null,
    quota: quota ? formatQuota(quota) : null,
    max_in_flight: maxInFlight ?? null,
  };
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : rfc3339(ms);
}
