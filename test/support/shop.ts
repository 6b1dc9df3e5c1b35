/** A shop that is open: the real program, initialised and serving, with its embedded Stripe, in a folder of its own. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestFolder } from './folder.js';
import { submitForm } from './form.js';
import { createProgram, type Program } from './program.js';

/** The shop and what its tests do with it. */
export interface Shop {
  program: Program;
  url: string;
  /** Buys as a program would, through every form on the way. */
  buy(email: string): Promise<{ key: string; customer: string }>;
  /** Makes another key from the command line. */
  makeKey(customer: string, ...options: string[]): Promise<{ id: string; key: string }>;
}

/** Opens a shop that sells calls at one dollar. `server` is put into that section of meterctl.json. */
export async function openShop(server: Record<string, unknown> = {}): Promise<Shop> {
  const program = createProgram(createTestFolder());
  const what = ['--product', 'Fire API', '--unit', 'call', '--price', '1.00', '--currency', 'usd'];
  await program.json(['init', ...what, '--event-name', 'fire_calls', '--interval', 'month']);
  const path = join(program.folder, 'meterctl.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), server }));
  const { url } = await program.serve();

  async function buy(email: string): Promise<{ key: string; customer: string }> {
    const session = (await (await fetch(`${url}/checkout`, { method: 'POST' })).json()) as { url: string };
    const paid = await submitForm(session.url, { email });
    const { pathname, search } = new URL(paid.headers.get('location') ?? '');
    const page = await (await submitForm(`${url}${pathname}${search}`)).text();
    const key = /<code id="api-key">([^<]+)<\/code>/.exec(page)?.[1];
    const { data } = await program.json<{ data: { id: string; email: string }[] }>(['customers', 'list']);
    const customer = data.find((row) => row.email === email)?.id;
    if (key === undefined || customer === undefined) throw new Error(`${email} has no key:\n${page}`);
    return { key, customer };
  }

  return {
    program,
    url,
    buy,
    makeKey: (customer, ...options) => program.json(['keys', 'create', '--customer', customer, ...options]),
  };
}
