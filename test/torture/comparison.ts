/** What the clients were promised, what the ledger holds and what Stripe counts: compared in the end, and as a table. */

import type { Books } from '../simulation/accounts.js';
import type { Tally } from './load.js';

/** One customer's account. */
interface Line extends Tally {
  customerId: string;
  ledger: number;
  stripe: number;
  lost: number;
  doubled: number;
}

/** The whole account. */
export interface Comparison {
  lines: Line[];
  lost: number;
  doubled: number;
}

/**
 * Lost is what was answered and is not in the ledger, and what is in the ledger and Stripe lacks. Doubled is what Stripe has
 * beyond the ledger, and what the ledger has beyond every call that may have been answered.
 */
export function compare(tallies: ReadonlyMap<string, Tally>, { ledger, events }: Books): Comparison {
  const lines = [...tallies].map(([customerId, tally]): Line => {
    const mine = <T extends { customerId: string }>(rows: readonly T[]) =>
      rows.filter((row) => row.customerId === customerId);
    const used = sum(mine(ledger));
    const stripe = sum(mine(events).filter(({ state }) => state === 'accepted'));
    const { answered, unknown } = tally;
    return {
      ...{ customerId, ...tally, ledger: used, stripe },
      lost: Math.max(0, answered - used) + Math.max(0, used - stripe),
      doubled: Math.max(0, stripe - used) + Math.max(0, used - answered - unknown),
    };
  });
  const total = (field: 'lost' | 'doubled') => lines.reduce((sofar, line) => sofar + line[field], 0);
  return { lines, lost: total('lost'), doubled: total('doubled') };
}

const columns = ['answered', 'unknown', 'refused', 'ledger', 'stripe', 'lost', 'doubled'] as const;

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
