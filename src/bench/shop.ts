/** What a paid call needs: a folder with something to sell on the embedded Stripe, a customer, a key. */

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Processes } from './processes.js';

/** A folder and the key that may call there. */
export interface Shop {
  folder: string;
  key: string;
}

/** Makes one by the commands that a person would type. */
export async function createShop(parent: string, processes: Processes): Promise<Shop> {
  const folder = join(parent, 'shop');
  mkdirSync(folder);
  const product = ['--product', 'Bench', '--unit', 'call', '--price', '0.01', '--currency', 'usd'];
  await processes.json(folder, ['init', '--yes', ...product]);
  const email = ['--email', 'ada@example.com'];
  const customer = await processes.json<{ id: string }>(folder, [
    'customers',
    'create',
    ...email,
    '--subscribe',
  ]);
  const { key } = await processes.json<{ key: string }>(folder, [
    'keys',
    'create',
    '--customer',
    customer.id,
  ]);
  return { folder, key };
}

/** The same once more under another name, with a database of its own. Nothing may be open in the first. */
export function copyShop({ folder, key }: Shop, name: string): Shop {
  const copy = join(folder, '..', name);
  cpSync(folder, copy, { recursive: true });
  return { folder: copy, key };
}

/** How many calls the ledger of a folder holds. */
export async function countLedger({ folder }: Shop, processes: Processes): Promise<number> {
  const { total } = await processes.json<{ total: { requests: number } }>(folder, ['usage']);
  return total.requests;
}
