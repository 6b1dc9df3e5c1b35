/** A quota through SIGKILL: what was reserved is given back or counted, each once, and no answer is forgotten. */

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Program } from '../support/program.js';
import { openSubscribedProgram } from '../support/subscribed-program.js';

const quota = 5_000;

interface Answers {
  statuses: Record<number, number>;
  lost: number;
}

/** Calls without a pause over 50 connections until `ended`. */
async function press(url: string, key: string, ended: () => boolean): Promise<Answers> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const answers: Answers = { statuses: {}, lost: 0 };
  const one = () =>
    new Promise<void>((resolve) => {
      const sent = request(`${url}/api`, { agent, headers: { 'x-api-key': key } }, (answer) => {
        const status = answer.statusCode ?? 0;
        answers.statuses[status] = (answers.statuses[status] ?? 0) + 1;
        answer.resume().on('close', resolve);
      });
      sent.on('error', () => {
        answers.lost += 1;
        resolve();
      });
      sent.end();
    });
  async function caller(): Promise<void> {
    while (!ended()) await one();
  }
  await Promise.all(Array.from({ length: 50 }, caller));
  agent.destroy();
  return answers;
}

async function unitsOf(program: Program): Promise<number> {
  return (await program.json<{ total: { units: number } }>(['usage'])).total.units;
}

describe('a quota and SIGKILL', () => {
  it('is neither overrun nor cut short by crashes', { timeout: 120_000 }, async () => {
    const { program, customerId: id, key } = await openSubscribedProgram();
    await program.json(['limits', 'set', id, '--quota', `${quota}/period`]);
    let answered = 0;
    for (let crash = 0; crash < 3; crash += 1) {
      const daemon = await program.serve();
      let down = false;
      const pressing = press(daemon.url, key, () => down);
      await sleep(150 + 100 * crash);
      await daemon.stop('SIGKILL');
      down = true;
      const { statuses } = await pressing;
      answered += statuses[200] ?? 0;
      const units = await unitsOf(program);
      expect(units).toBeGreaterThanOrEqual(answered);
      expect(units).toBeLessThanOrEqual(quota);
    }
    const before = await unitsOf(program);
    const daemon = await program.serve();
    let refused = false;
    const pressing = press(daemon.url, key, () => refused);
    while (!refused) {
      await sleep(50);
      const { status } = await fetch(`${daemon.url}/api`, { headers: { 'x-api-key': key } });
      refused = status === 429;
    }
    await pressing;
    expect(before).toBeGreaterThan(0);
    expect(await unitsOf(program)).toBe(quota);
    expect(await daemon.stop()).toBe(0);
  });

  it('bills a call under an Idempotency-Key once, also when its answer was lost in a crash', async () => {
    const { program, key } = await openSubscribedProgram();
    const bodies = new Map<string, string>();
    const names = Array.from({ length: 60 }, (_, index) => `call-${index}`);
    async function round(url: string): Promise<number> {
      const results = await Promise.allSettled(
        names.map(async (name) => {
          const answer = await fetch(`${url}/api`, {
            headers: { 'x-api-key': key, 'idempotency-key': name },
          });
          const body = await answer.text();
          if (answer.status !== 200) throw new Error(`${answer.status}`);
          expect(bodies.get(name) ?? body).toBe(body);
          bodies.set(name, body);
        }),
      );
      return results.filter(({ status }) => status === 'fulfilled').length;
    }
    for (const waitMs of [5, 15, 40]) {
      const daemon = await program.serve();
      const running = round(daemon.url);
      await sleep(waitMs);
      await daemon.stop('SIGKILL');
      await running;
    }
    const daemon = await program.serve();
    expect(await round(daemon.url)).toBe(names.length);
    expect(await unitsOf(program)).toBe(names.length);
    await daemon.stop();
  });
});
