/** The servers under load: opened, each found to answer rightly, and what was measured of them. */

import assert from 'node:assert';
import { createRequire } from 'node:module';
import { MeterctlError } from '../domain/error.js';
import type { Closers } from '../lib/closers.js';
import type { Host } from '../lib/host.js';
import type { LoadGenerator } from './load.js';
import type { Processes, ServerProcess } from './processes.js';
import { plainAnswer } from './servers/answer.js';
import { copyShop, countLedger, type Shop } from './shop.js';
import { type ServerName, type Variant, variants } from './variants.js';

/** What was measured with so many connections: a value a round. */
export interface Samples {
  connections: number;
  requestsPerSecond: number[];
  p99Ms: number[];
}

/** A variant that listens. */
export interface Subject {
  variant: Variant;
  shop: Shop;
  url: string;
  samples: Samples[];
  /** Calls that were answered whole, of all runs. */
  answered: number;
}

/** A variant that cannot be measured here. */
export interface Skipped {
  variant: Variant;
  why: string;
}

/** With so many connections everything is measured, in this order. */
export const connectionCounts = [64, 1] as const;

/** A run may be too short for a slow server on a busy machine to answer at all. It is made again, each time twice as long. */
const attemptsMax = 8;

/** Opens every variant whose packages are installed. */
export async function openSubjects(
  shop: Shop,
  processes: Processes,
  closers: Closers,
): Promise<{ subjects: Subject[]; skipped: Skipped[] }> {
  const skipped: Skipped[] = [];
  const subjects: Subject[] = [];
  const others = new Map<string, Promise<ServerProcess>>();
  // As in production Stripe is elsewhere: inside the daemon its work would be taken for the daemon's.
  const { folder } = copyShop(shop, 'embedded-stripe');
  const stripe = closers.add(await processes.open(folder, ['--server', 'embedded-stripe']));
  const env = { STRIPE_API_BASE: stripe.url };

  /** Servers behind others are shared: proxies stand before the same API. */
  function openOther(server: ServerName, value: string | undefined): Promise<ServerProcess> {
    const name = `${server} ${value}`;
    const open = others.get(name) ?? openServer(shop, server, value);
    others.set(name, open);
    return open;
  }

  async function openServer({ folder }: Shop, server: ServerName, value?: string): Promise<ServerProcess> {
    const args = ['--server', server, ...(value === undefined ? [] : ['--value', value])];
    return closers.add(await processes.open(folder, args, env));
  }

  for (const variant of variants) {
    const { name, server, behind, needs } = variant;
    if (needs !== undefined && !isInstalled(needs)) {
      skipped.push({ variant, why: `not measured: npm install ${needs}` });
      continue;
    }
    const own = copyShop(shop, name);
    const other = behind && (await openOther(behind.server, behind.value));
    const { url } = await openServer(own, server, other?.url);
    const samples = connectionCounts.map((connections) => ({
      connections,
      requestsPerSecond: [],
      p99Ms: [],
    }));
    subjects.push({ variant, shop: own, url: `${url}/api`, samples, answered: 0 });
  }
  return { subjects, skipped };
}

/** Makes one call and looks at all of its answer. Throws `internal` when that is not what the variant has to say. */
export async function checkAnswer(subject: Subject, { fetch }: Host): Promise<void> {
  const { url, variant, shop } = subject;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${shop.key}` } });
  const text = await answer.text();
  const units = answer.headers.get('meterctl-units');
  const isRight = answer.status === 200 && text.includes(plainAnswer.data);
  if (!isRight || units !== (variant.isMetered ? '1' : null)) {
    throw new MeterctlError(
      'internal',
      `${variant.title} answered ${answer.status}, ${units} units: ${text}`,
    );
  }
  subject.answered += 1;
}

/** Puts one subject under load. Throws `internal` when a call failed, or none was answered again and again. */
export async function loadSubject(
  subject: Subject,
  generator: LoadGenerator,
  run: { connections: number; seconds: number },
): Promise<{ requestsPerSecond: number; p99Ms: number }> {
  const { url, shop, variant } = subject;
  const { connections } = run;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const seconds = run.seconds * 2 ** attempt;
    const load = { url, key: shop.key, connections, seconds };
    const { answered, failed, ...speed } = await generator.run(load);
    if (failed > 0) {
      const where = `${variant.title} under ${connections} connections`;
      throw new MeterctlError('internal', `${where} answered ${answered} calls and failed ${failed}.`);
    }
    subject.answered += answered;
    if (answered > 0) return speed;
  }
  throw new MeterctlError('internal', `${variant.title} answered no call in ${attemptsMax} runs.`, {
    hint: 'Make the runs longer with --seconds.',
  });
}

/**
 * Compares what was answered with the ledger, which may hold more: calls whose answers nobody waited for at the end of a
 * run. Returns the rows. Throws `internal` when the ledger holds less.
 */
export async function checkLedger(subject: Subject, processes: Processes): Promise<number> {
  const { answered, shop, variant } = subject;
  const rows = await countLedger(shop, processes);
  if (rows >= answered) return rows;
  throw new MeterctlError('internal', `${variant.title} answered ${answered} calls and recorded ${rows}.`);
}

/** The samples of a subject with so many connections. */
export function samplesOf({ samples }: Subject, connections: number): Samples {
  const found = samples.find((sample) => sample.connections === connections);
  assert(found, `nothing is measured with ${connections} connections`);
  return found;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
