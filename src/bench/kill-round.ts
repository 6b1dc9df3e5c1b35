/** Kills the daemon under load, and looks for calls that were answered and are missing from its ledger. */

import { Agent, request } from 'node:http';
import type { Host } from '../lib/host.js';
import type { Processes } from './processes.js';
import { countLedger, type Shop } from './shop.js';

/** What came of it. */
export interface KillResult {
  kills: number;
  answered: number;
  missing: number;
}

const connections = 64;
const kills = 3;

/** The kill comes after so long under load, or up to twice as long. */
const loadMs = 500;

/**
 * Kills again and again on one folder. Every call costs one unit, so an answer says which row of the ledger is its own: its
 * `period_units`. One above the number of rows was answered for nothing.
 */
export async function killUnderLoad(shop: Shop, processes: Processes, host: Host): Promise<KillResult> {
  let answered = 0;
  let missing = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const server = await processes.open(shop.folder, ['--server', 'metered']);
    const agent = new Agent({ keepAlive: true });
    const callers = Array.from({ length: connections }, () => callUntilKilled(agent, server.url, shop.key));
    await host.clock.sleep(loadMs * (1 + host.random.next()));
    await server.close();
    const rows = (await Promise.all(callers)).flat();
    agent.destroy();
    const written = await countLedger(shop, processes);
    answered += rows.length;
    missing += rows.filter((row) => row > written).length;
  }
  return { kills, answered, missing };
}

/** Calls again and again until nobody answers. Returns the rows that it was told of. */
async function callUntilKilled(agent: Agent, url: string, key: string): Promise<number[]> {
  const rows: number[] = [];
  for (;;) {
    const row = await call(agent, url, key);
    if (row === undefined) return rows;
    rows.push(row);
  }
}

/** The row of the call; `undefined` when no whole answer came, or a refusal. */
function call(agent: Agent, url: string, key: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const calling = request(`${url}/api`, { agent, headers: { authorization: `Bearer ${key}` } }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('error', () => resolve(undefined));
      res.on('end', () => resolve(res.statusCode === 200 ? readRow(text) : undefined));
    });
    calling.on('error', () => resolve(undefined));
    calling.end();
  });
}

function readRow(text: string): number {
  return (JSON.parse(text) as { usage: { period_units: number } }).usage.period_units;
}
