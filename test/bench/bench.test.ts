import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';
import { createProgram } from '../support/program.js';

interface Spread {
  median: number;
  min: number;
  max: number;
}

interface Report {
  machine: { node: string; cores: number };
  load: string;
  rounds: number;
  servers: {
    name: string;
    durability: string;
    answered: number;
    runs: { connections: number; x_bare: Spread; requests_per_second: number[]; p99_ms: number[] }[];
  }[];
  skipped: unknown[];
  ledger: { answered: number; rows: number };
  killed: { kills: number; answered: number; missing: number };
  report: { rows: number; ms: number[] };
  targets: { what: string; durability: string; measured: Spread; reached: string }[];
}

const short = ['bench', '--seconds', '0.2', '--rounds', '1', '--rows', '2000'];

const bin = fileURLToPath(new URL('../../bin/meterctl.js', import.meta.url));

/** The processes that a process has started and that still run, where the system tells. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number) : [];
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// A bench starts a dozen processes, and gets room for that on a busy machine.
describe('meterctl bench', { timeout: 240_000 }, () => {
  // It looks at every answer itself, and fails when one is wrong or missing from the ledger: here it has to succeed.
  it('measures every server, and tells what is to be reached', async () => {
    const folder = createTestFolder();
    const report = await createProgram(folder).json<Report>(short, { env: { TMPDIR: folder } });
    expect(report).toMatchObject({ load: 'autocannon', rounds: 1, skipped: [] });
    expect(report.machine.node).toBe(process.version);
    expect(report.servers.map(({ name }) => name)).toEqual([
      ...['raw-http', 'bare-express', 'metered', 'unrecorded', 'stripe-at-once', 'stripe-150-ms'],
      ...['gateway', 'proxy-middleware'],
    ]);
    for (const { answered, durability, runs } of report.servers) {
      expect(answered).toBeGreaterThan(2);
      expect(durability).not.toBe('');
      expect(runs.map(({ connections }) => connections)).toEqual([64, 1]);
      for (const run of runs) {
        expect([run.requests_per_second.length, run.p99_ms.length]).toEqual([1, 1]);
        expect(run.x_bare.median).toBeGreaterThan(0);
      }
    }
    const metered = report.servers.filter(({ name }) => name === 'metered' || name === 'gateway');
    expect(report.ledger.answered).toBe(metered.reduce((sum, { answered }) => sum + answered, 0));
    expect(report.ledger.rows).toBeGreaterThanOrEqual(report.ledger.answered);
    expect(report.killed).toMatchObject({ kills: 3, missing: 0 });
    expect(report.killed.answered).toBeGreaterThan(0);
    expect(report.report.rows).toBe(2000);
    expect(report.targets).toHaveLength(11);
    for (const { durability, measured, reached } of report.targets) {
      expect(durability).not.toBe('');
      expect(measured.min).toBeLessThanOrEqual(measured.median);
      expect(['aim', 'must', 'missed']).toContain(reached);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends its processes and removes its folder when it is interrupted', async () => {
    const folder = createTestFolder();
    const env = { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder };
    const child = spawn(process.execPath, [bin, ...short, '--json'], { cwd: folder, env });
    onTestFinished(() => void child.kill('SIGKILL'));
    const closed = once(child, 'close');
    // The last server's folder is there, so most of the servers run.
    await eventually(async () => {
      const bench = join(folder, readdirSync(folder)[0] ?? 'none', 'proxy-middleware');
      if (!existsSync(bench)) throw new Error('The servers have not been started yet.');
    }, 60_000);
    const servers = childrenOf(child.pid!);
    child.kill('SIGINT');
    expect((await closed)[0]).toBe(130);
    expect(servers.filter(isRunning)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['--seconds', '0'],
    ['--seconds', 'long'],
    ['--rounds', '0'],
    ['--rows', '1'],
    ['--server', 'nonsense'],
  ])('refuses %s %s', async (flag, value) => {
    const { code, stderr } = await createProgram(createTestFolder()).run(['bench', flag, value]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: /);
  });
});
