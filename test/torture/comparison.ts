/** What the clients were promised, what the ledger holds and what Stripe counts: compared in the end, and as a table. */

import type { Books } from '../simulation/accounts.js';
import type { Tally } from './load.js';

/** One customer's account. */
interface Line extends Tally {
  customerId: string;
  ledger: number;
  /** Units of the events that Stripe accepted. */
  stripe: number;
  /** Units on the coming invoice. */
  invoice: number;
  lost: number;
  doubled: number;
}

/** The whole account. */
export interface Comparison {
  lines: Line[];
  lost: number;
  doubled: number;
  /** Deliveries, of all customers: here nothing gives Stripe a reason, and no outage is that long. */
  refused: number;
  uncertain: number;
}

/**
 * Lost is what was answered and is not in the ledger, and what is in the ledger and Stripe does not bill. Doubled is what it
 * bills beyond the ledger, and what the ledger has beyond every call that may have been answered.
 */
export function compare(
  tallies: ReadonlyMap<string, Tally>,
  invoices: ReadonlyMap<string, number>,
  { ledger, events, deliveries }: Books,
): Comparison {
  const lines = [...tallies].map(([customerId, tally]): Line => {
    const mine = <T extends { customerId: string }>(rows: readonly T[]) =>
      rows.filter((row) => row.customerId === customerId);
    const used = sum(mine(ledger));
    const stripe = sum(mine(events).filter(({ state }) => state === 'accepted'));
    const invoice = invoices.get(customerId) ?? 0;
    const { answered, unknown } = tally;
    return {
      ...{ customerId, ...tally, ledger: used, stripe, invoice },
      lost: Math.max(0, answered - used) + Math.max(0, used - Math.min(stripe, invoice)),
      doubled: Math.max(0, Math.max(stripe, invoice) - used) + Math.max(0, used - answered - unknown),
    };
  });
  const total = (field: 'lost' | 'doubled') => lines.reduce((sofar, line) => sofar + line[field], 0);
  const count = (wanted: string) => deliveries.filter(({ state }) => state === wanted).length;
  const left = { refused: count('refused'), uncertain: count('uncertain') };
  return { lines, lost: total('lost'), doubled: total('doubled'), ...left };
}

const columns = ['answered', 'unknown', 'refused', 'ledger', 'stripe', 'invoice', 'lost', 'doubled'] as const;

/** The table, with the sentence that counts below it. */
export function tableOf({ lines, lost, doubled }: Comparison): string {
  const rows = [
    ['customer', ...columns],
    ...lines.map((line) => [line.customerId, ...columns.map((column) => String(line[column]))]),
    ['total', ...columns.map((column) => String(lines.reduce((sofar, line) => sofar + line[column], 0)))],
  ];
  const text = rows.map(
    ([name = '', ...cells]) => name.padEnd(20) + cells.map((cell) => cell.padStart(10)).join(''),
  );
  return [...text, '', `lost = ${lost}, doubled = ${doubled}`].join('\n');
}

function sum(rows: readonly { units: number }[]): number {
  return rows.reduce((total, { units }) => total + units, 0);
}
