/** Calls under a key at two processes on one database: one carries a call out, and a crash holds a key no longer than it must. */

import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AnswerClaims, createAnswerClaims } from '../../src/metering/answer-claims.js';
import { createRepeatGuard, type KeyedCall, type RepeatGuard } from '../../src/metering/repeat-guard.js';
import { type Database, openDatabase } from '../../src/sqlite/open.js';
import { createStore } from '../../src/sqlite/store.js';
import { addCustomers } from '../conformance/usage.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, type FakeHost, testStartMs } from '../support/host.js';
import { createProcesses, type FakeProcess } from '../support/processes.js';
import { hashOf } from '../support/records.js';

interface Process {
  database: Database;
  claims: AnswerClaims;
  guard: RepeatGuard;
  begin(over?: Partial<KeyedCall>): ReturnType<RepeatGuard['begin']>;
  /** Begins a call that must be the first. Returns what ends it. */
  carryOut(over?: Partial<KeyedCall>): Promise<() => void>;
}

/** Two processes, of which the first may have ended. */
async function openTwo(): Promise<{ host: FakeHost; one: Process; two: Process; endOne(): void }> {
  const path = join(createTestFolder(), 'meterctl.db');
  const host = createFakeHost();
  const start = createProcesses(host);
  const first = start();

  async function openProcess(process: FakeProcess): Promise<Process> {
    const database = openDatabase(path, host.clock);
    onTestFinished(() => database.close());
    const store = createStore(database, host);
    const [customerNo = 0] = process === first ? await addCustomers(store, 1) : [1];
    const claims = createAnswerClaims({ store, host: process.host });
    const guard = createRepeatGuard({ store, claims, ...host });
    const call = { customerNo, idempotencyKey: 'k', fingerprint: hashOf('request'), atMs: testStartMs };
    const begin: Process['begin'] = (over = {}) => guard.begin({ ...call, ...over });
    return {
      ...{ database, claims, guard, begin },
      async carryOut(over) {
        const begun = await begin(over);
        if (begun.kind !== 'first') throw new Error(`The call is not the first, but ${begun.kind}.`);
        return begun.end;
      },
    };
  }

  const [one, two] = [await openProcess(first), await openProcess(start())];
  return { host, one, two, endOne: first.end };
}

describe('a call under a key', () => {
  it('is carried out by one process alone, until it ends', async () => {
    const { one, two } = await openTwo();
    const end = await one.carryOut();
    expect(await two.begin()).toEqual({ kind: 'running' });
    expect(await one.begin()).toEqual({ kind: 'running' });
    for (const { begin } of [one, two]) {
      expect(await begin({ fingerprint: hashOf('another') })).toEqual({ kind: 'other' });
    }
    end();
    const endAgain = await two.carryOut({ fingerprint: hashOf('another') });
    expect(await one.begin()).toEqual({ kind: 'other' });
    // What is over does not end what follows it.
    end();
    await one.claims.tick();
    expect(await one.begin()).toEqual({ kind: 'other' });
    endAgain();
    await one.carryOut();
  });

  it('keeps its key while its process runs, however long', async () => {
    const { host, one, two } = await openTwo();
    await one.carryOut();
    for (let seconds = 0; seconds < 60; seconds += 1) {
      await host.advance(1_000);
      await one.claims.tick();
      await two.claims.tick();
    }
    expect(await two.begin()).toEqual({ kind: 'running' });
  });

  it('whose process has ended gives its key free at once', async () => {
    const { host, one, two, endOne } = await openTwo();
    await one.carryOut();
    await two.claims.tick();
    expect(await two.begin()).toEqual({ kind: 'running' });
    endOne();
    await two.claims.tick();
    const end = await two.carryOut();
    expect(host.lines.map(({ message }) => message)).toEqual(['gave keys free that a crash had left taken']);
    end();
  });

  it('whose process is not seen any more gives its key free after 15 seconds', async () => {
    const { one, two } = await openTwo();
    await one.carryOut();
    for (let seconds = 0; seconds < 15; seconds += 1) await two.claims.tick();
    expect(await two.begin()).toEqual({ kind: 'running' });
    await two.claims.tick();
    const end = await two.carryOut();
    // Should it come back, its end takes nothing from who has the key now.
    await one.claims.close();
    await one.claims.tick();
    expect(await one.begin()).toEqual({ kind: 'running' });
    end();
  });

  it('whose process comes back has its key again, unless somebody else has it', async () => {
    const { host, one, two } = await openTwo();
    const ends = [await one.carryOut(), await one.carryOut({ idempotencyKey: 'l' })];
    for (let seconds = 0; seconds < 16; seconds += 1) await two.claims.tick();
    const end = await two.carryOut();
    await host.advance(16_000);
    await one.claims.tick();
    expect(await two.begin({ idempotencyKey: 'l' })).toEqual({ kind: 'running' });
    for (const endOne of ends) endOne();
    expect(await one.begin()).toEqual({ kind: 'running' });
    end();
    await one.carryOut();
    await two.carryOut({ idempotencyKey: 'l' });
  });

  it.each([
    ['forth', 3_600_000],
    ['back', -3_600_000],
  ])('keeps its key when the clock jumps %s', async (_how, byMs) => {
    const { host, one, two } = await openTwo();
    await one.carryOut();
    await two.claims.tick();
    host.jump(testStartMs + byMs);
    await two.claims.tick();
    expect(await two.begin()).toEqual({ kind: 'running' });
    await one.claims.tick();
    for (let seconds = 0; seconds < 15; seconds += 1) await two.claims.tick();
    expect(await two.begin()).toEqual({ kind: 'running' });
  });

  it('may end when the database is closed already', async () => {
    const { one } = await openTwo();
    const end = await one.carryOut();
    await one.database.close();
    end();
    await expect(one.claims.tick()).rejects.toThrow('not open');
  });

  it('gives its key free as soon as that can be written', async () => {
    const { host, one, two } = await openTwo();
    const end = await one.carryOut();
    two.database.connection.exec('BEGIN IMMEDIATE');
    end();
    await host.advance(6_000);
    two.database.connection.exec('COMMIT');
    expect(await two.begin()).toEqual({ kind: 'running' });
    await one.claims.tick();
    (await two.carryOut())();
    // Meanwhile it may take the key again itself, and that is not given free with the old claim.
    const again = await one.carryOut();
    two.database.connection.exec('BEGIN IMMEDIATE');
    again();
    await host.advance(6_000);
    two.database.connection.exec('COMMIT');
    await one.carryOut();
    await one.claims.tick();
    expect(await two.begin()).toEqual({ kind: 'running' });
  });
});
