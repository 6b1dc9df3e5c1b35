/** Many new keys at once: orders read from rows. */

import { InvalidArgumentError } from 'commander';
import { MeterctlError } from '../domain/error.js';
import type { KeyOrder } from '../keys/issue.js';
import type { Row } from '../terminal/rows.js';
import { endOf, limitsOf } from './key-options.js';
import * as parse from './parse.js';
import { fieldsOf } from './row-fields.js';

/** So many keys are made in one go: all or none, in one commit that calls do not notice. */
const ordersMax = 10_000;

/** The fields of a row. */
export const orderFields = ['customer', 'name', 'expires', 'scopes', 'ip_allow', 'metadata', 'rate', 'quota'];

/** Reads all orders before the first key is made. Throws `invalid` with the line of what is wrong. */
export async function readOrders(rows: AsyncIterable<Row>, nowMs: number): Promise<KeyOrder[]> {
  const orders: KeyOrder[] = [];
  for await (const row of rows) {
    if (orders.length >= ordersMax) {
      throw new MeterctlError('invalid', `These are more than ${ordersMax} keys.`, {
        hint: 'Split the file; each part is made as a whole or not at all.',
      });
    }
    orders.push(orderOf(row, nowMs));
  }
  if (orders.length > 0) return orders;
  throw new MeterctlError('invalid', 'There is no row that orders a key.');
}

function endOfNew(text: string, nowMs: number): number {
  const atMs = endOf(parse.moment(text), nowMs);
  if (atMs > nowMs) return atMs;
  throw new InvalidArgumentError('It must lie in the future.');
}

function orderOf(row: Row, nowMs: number): KeyOrder {
  const fields = fieldsOf(row, orderFields);
  return {
    customerId: fields.require('customer', parse.id('cus')),
    name: fields.read('name', parse.shortText),
    expiresAtMs: fields.read('expires', (text) => endOfNew(text, nowMs)),
    scopes: fields.list('scopes', parse.scopes),
    ipAllow: fields.list('ip_allow', parse.addressRanges),
    metadata: fields.metadata(),
    limits: limitsOf({ rate: fields.read('rate', parse.rate), quota: fields.read('quota', parse.quota) }),
  };
}
