/** Runs one seed from beginning to end, and says what promises were broken. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './checker.js';
import { periodEndMs } from './clients.js';
import type { Fault } from './daemon.js';
import { createDice } from './dice.js';
import { actOnce, drain, drawTemper } from './events.js';
import { drawFaults } from './faults.js';
import type { Template } from './template.js';
import { openWorld, type World } from './world.js';

/** What came of a seed. */
export interface Outcome {
  seed: number;
  /** Broken promises, in words. */
  findings: string[];
  /** What happened, step by step. */
  steps: string[];
  /** The same for two runs exactly when they took the same steps. */
  fingerprint: string;
  /** How many deliveries ended in each state, to see that a simulation simulates something. */
  deliveries: Record<string, number>;
}

const stepsMax = 300;
/** What is wrong on purpose is looked at in the end, when the harm is done. */
const checkEvery = 30;

/** Runs a seed. `fault` makes the daemons wrong on purpose. */
export async function runSeed(
  seed: number,
  template: Template,
  folder: string,
  fault?: Fault,
): Promise<Outcome> {
  const steps: string[] = [];
  const mine = mkdtempSync(join(folder, `${seed}-`));
  const world = await openWorld({
    ...{ seed, template, fault, folder: mine },
    startMs: drawStart(seed, template),
    trace: (step) => void steps.push(step),
    note: (line) => void steps.push(`  ${line}`),
  });
  try {
    const findings = await live(world, seed, fault ? stepsMax : checkEvery);
    const deliveries: Record<string, number> = {};
    for (const { state } of world.books.read().deliveries) deliveries[state] = (deliveries[state] ?? 0) + 1;
    const taken = steps.filter((step) => !step.startsWith(' ')).join('\n');
    const fingerprint = createHash('sha256').update(taken).digest('hex');
    return { seed, findings, steps, fingerprint, deliveries };
  } finally {
    for (const daemon of [...world.daemons]) await world.crash(daemon);
    world.mailbox.loseAll();
    await world.scheduler.settleRequests();
    await world.close();
    rmSync(mine, { recursive: true });
  }
}

async function live(world: World, seed: number, checkEvery: number): Promise<string[]> {
  const temper = drawTemper(createDice(seed, 2));
  world.emulator.account.faults.set(drawFaults(world.dice, world.time.trueMs()));
  for (let step = 1; step <= stepsMax; step += 1) {
    await actOnce(world, temper);
    if (step % checkEvery > 0) continue;
    const findings = examine(world, false);
    if (findings.length > 0) return findings;
  }
  const stuck = await drain(world);
  return [...stuck, ...examine(world, true)];
}

function examine({ books, clients, template }: World, drained: boolean): string[] {
  const subscribers = [...template.subscribers, template.ghost];
  return check(books.read(), { orders: clients.orders, subscribers, drained });
}

/** Most simulations begin shortly before somebody's period ends. */
function drawStart(seed: number, { subscribers, endMs }: Template): number {
  const dice = createDice(seed, 3);
  const laterMs = endMs + dice.between(0, 26 * 3_600_000);
  const subscriber = dice.pick(subscribers);
  const edgeMs = periodEndMs(subscriber, laterMs) - dice.between(1_000, 90_000);
  return dice.chance(0.7) ? edgeMs : laterMs;
}
