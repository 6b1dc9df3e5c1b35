/** Measures this machine: all servers in one interleaved run, then what a crash, a report and a start cost. */

import { resolveSettings } from '../config/resolve-settings.js';
import { gatherSources } from '../config/sources.js';
import { type Closable, createClosers } from '../lib/closers.js';
import type { Host } from '../lib/host.js';
import { type KillResult, killUnderLoad } from './kill-round.js';
import { chooseLoadGenerator, type LoadGenerator } from './load.js';
import { createProcesses, type Processes, type Self } from './processes.js';
import { measureReport, type ReportCost } from './report-cost.js';
import { copyShop, createShop, type Shop } from './shop.js';
import { measureStartUp } from './start-up.js';
import {
  checkAnswer,
  checkLedger,
  connectionCounts,
  loadSubject,
  openSubjects,
  type Skipped,
  type Subject,
  samplesOf,
} from './subjects.js';
import { type Target, targetsOf } from './targets.js';

/** How much is measured. */
export interface BenchPlan {
  /** Length of one run. */
  seconds: number;
  rounds: number;
  /** Rows of the ledger that reports are read from. */
  rows: number;
}

/** What a run needs. */
export interface BenchTools {
  /** An empty folder, which the caller removes. */
  folder: string;
  self: Self;
  env: Readonly<Record<string, string | undefined>>;
  host: Host;
  /** Ends everything. */
  signal: AbortSignal;
  /** Says what is being done. */
  tell(step: string): void;
  openProgress(noun: string, total: number): Progress;
}

/** Shows how much of something is done. */
export interface Progress extends Closable {
  update(done: number): void;
}

/** What was measured. */
export interface BenchReport {
  load: string;
  plan: BenchPlan;
  subjects: Subject[];
  skipped: Skipped[];
  /** Calls that the daemon answered under load, and its ledger's rows. */
  ledger: { answered: number; rows: number };
  killed: KillResult;
  report: ReportCost;
  targets: Target[];
}

/** Runs it all. Throws `internal` when a server answers wrongly; whatever was started has ended when this returns. */
export async function runBench(plan: BenchPlan, tools: BenchTools): Promise<BenchReport> {
  const { folder, self, host, signal, tell } = tools;
  const processes = createProcesses(tools);
  const load = await chooseLoadGenerator(plan.seconds, processes, signal);
  tell('Setting up what is sold, in a folder that is thrown away.');
  const shop = await createShop(folder, processes);
  const measured = await compare(plan, tools, { processes, load, shop });
  tell('Killing the daemon under load.');
  const killed = await killUnderLoad(copyShop(shop, 'killed'), processes, host);
  const reported = copyShop(shop, 'reported').folder;
  const settings = resolveSettings(gatherSources({ folder: reported, env: {}, flags: {} }), reported);
  tell('Filling a ledger, and reading reports from it.');
  const progress = tools.openProgress('rows', plan.rows);
  const report = await measureReport(settings, host, { ...plan, signal, onRows: progress.update }).finally(
    progress.close,
  );
  tell('Starting the command line.');
  const startUp = await measureStartUp(self, processes, host.clock, plan.rounds);
  const targets = targetsOf(measured.subjects, { killed, report, startUp });
  return { load: load.name, plan, ...measured, killed, report, targets };
}

/** The servers side by side. They are all open all the time, and take turns. */
async function compare(
  { seconds, rounds }: BenchPlan,
  { host, signal, tell, openProgress }: BenchTools,
  { processes, load, shop }: { processes: Processes; load: LoadGenerator; shop: Shop },
): Promise<Pick<BenchReport, 'subjects' | 'skipped' | 'ledger'>> {
  const closers = createClosers();
  try {
    const { subjects, skipped } = await openSubjects(shop, processes, closers);
    const total = subjects.length * (1 + rounds * connectionCounts.length);
    tell(`Measuring ${subjects.length} servers in turn.`);
    const progress = closers.add(openProgress('runs', total));
    let done = 0;
    const run = async (subject: Subject, connections: number) => {
      signal.throwIfAborted();
      const result = await loadSubject(subject, load, { connections, seconds });
      done += 1;
      progress.update(done);
      return result;
    };
    for (const subject of subjects) await checkAnswer(subject, host);
    // The first run compiles; what it measures is thrown away.
    for (const subject of subjects) await run(subject, connectionCounts[0]);
    for (let round = 0; round < rounds; round += 1) {
      for (const connections of connectionCounts) {
        for (const subject of subjects) {
          const { requestsPerSecond, p99Ms } = await run(subject, connections);
          const samples = samplesOf(subject, connections);
          samples.requestsPerSecond.push(requestsPerSecond);
          samples.p99Ms.push(p99Ms);
        }
      }
    }
    const ledger = { answered: 0, rows: 0 };
    for (const subject of subjects.filter(({ variant }) => variant.server === 'metered')) {
      ledger.answered += subject.answered;
      ledger.rows += await checkLedger(subject, processes);
    }
    return { subjects, skipped, ledger };
  } finally {
    await closers.close();
  }
}
