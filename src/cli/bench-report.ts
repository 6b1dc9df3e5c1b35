/** What the bench has measured, for people, for scripts, and for a README. Only ratios are more than this machine's own. */

import { availableParallelism, platform } from 'node:os';
import type { BenchReport } from '../bench/bench.js';
import type { Self } from '../bench/processes.js';
import { ratiosOf, type Spread, spreadOf } from '../bench/spread.js';
import { connectionCounts, type Samples, type Subject, samplesOf } from '../bench/subjects.js';
import { reachedOf, type Target } from '../bench/targets.js';
import { countOf } from '../terminal/money.js';
import { type Cell, type Column, tableText } from '../terminal/table.js';
import type { Context } from './context.js';

type Measure = Exclude<keyof Samples, 'connections'>;

const serverTitles = ['SERVER', 'DURABLE', '64 CONNECTIONS', 'THEIR P99', '1 CONNECTION'];
const targetTitles = ['TARGET', 'DURABLE', 'MEASURED', 'MUST', 'AIM', 'REACHED'];

/** Everything, with the absolutes that the ratios are made of. */
export function benchJson(report: BenchReport, self: Self): unknown {
  const { load, plan, subjects, skipped, ledger, killed, report: read, targets } = report;
  return {
    machine: { node: self.nodeVersion, platform: platform(), cores: availableParallelism() },
    load,
    ...plan,
    servers: subjects.map((subject) => ({
      name: subject.variant.name,
      durability: subject.variant.durability,
      answered: subject.answered,
      runs: subject.samples.map(({ connections, requestsPerSecond, p99Ms }) => ({
        connections,
        x_bare: againstBare(subjects, subject, connections, 'requestsPerSecond'),
        p99_x_bare: againstBare(subjects, subject, connections, 'p99Ms'),
        requests_per_second: requestsPerSecond,
        p99_ms: p99Ms,
      })),
    })),
    skipped: skipped.map(({ variant, why }) => ({ name: variant.name, why })),
    ledger,
    killed,
    report: read,
    targets: targets.map((target) => ({
      what: target.what,
      durability: target.durability,
      unit: target.unit,
      better: target.isFloor ? 'more' : 'less',
      measured: target.measured,
      must: target.must,
      aim: target.aim,
      reached: reachedOf(target),
    })),
  };
}

/** Two tables and what is to be known about them. */
export function benchText(context: Context, report: BenchReport): string {
  const { stdout } = context.terminal;
  const { paint } = context;
  const columns = (titles: readonly string[]): Column[] =>
    titles.map((title, index) => ({ title, flexible: index === 0 }));
  const painted = { aim: paint.good, must: paint.warning, missed: paint.bad };
  const targets = report.targets.map((target): Cell[] =>
    targetRow(target).map((text, index) => {
      const reached = reachedOf(target);
      return targetTitles[index] === 'REACHED' && reached ? { text, paint: painted[reached] } : text;
    }),
  );
  return [
    tableText(stdout, columns(serverTitles), serverRows(report)),
    tableText(stdout, columns(targetTitles), targets),
    `${paint.faint(notes(context.self, report).join('\n'))}\n`,
  ].join('\n');
}

/** The same as Markdown. */
export function benchMarkdown(report: BenchReport, self: Self): string {
  const table = (titles: readonly string[], rows: readonly string[][]) =>
    [titles.map((title) => title.toLowerCase()), titles.map(() => '---'), ...rows]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n');
  return `${[
    table(serverTitles, serverRows(report)),
    table(targetTitles, report.targets.map(targetRow)),
    notes(self, report).join('\n'),
  ].join('\n\n')}\n`;
}

function serverRows({ subjects, skipped }: BenchReport): string[][] {
  const [many, one] = connectionCounts;
  const rows = subjects.map((subject) => [
    subject.variant.title,
    subject.variant.durability,
    spreadText(againstBare(subjects, subject, many, 'requestsPerSecond')),
    spreadText(againstBare(subjects, subject, many, 'p99Ms')),
    spreadText(againstBare(subjects, subject, one, 'requestsPerSecond')),
  ]);
  return [...rows, ...skipped.map(({ variant, why }) => [variant.title, variant.durability, why, '', ''])];
}

function targetRow(target: Target): string[] {
  const { what, durability, unit, isFloor, must, aim, measured } = target;
  const bound = (value: number) => `${isFloor ? '≥' : '≤'} ${value}`;
  const reached = { aim: 'aim', must: 'must', missed: 'no' };
  const found = reachedOf(target);
  return [
    unit === 'ms' ? `${what}, ms` : what,
    durability,
    spreadText(measured),
    bound(must),
    bound(aim),
    found ? reached[found] : '-',
  ];
}

function notes(self: Self, { load, plan, ledger, killed }: BenchReport): string[] {
  return [
    'Ratios: median (least–greatest) over the rounds; of servers, to bare Express in the same round.',
    'Durable: what is safe before the answer goes out.',
    `${countOf(plan.rounds, 'round')} of ${plan.seconds} s, all servers in turn. Load: ${load}, on the same cores.`,
    `Node ${self.nodeVersion} on ${platform()}, ${countOf(availableParallelism(), 'core')}.`,
    `The ledgers hold ${countOf(ledger.rows, 'row')} of ${countOf(ledger.answered, 'answered call')};` +
      ` ${countOf(killed.answered, 'call')} were answered before ${countOf(killed.kills, 'SIGKILL')}.`,
  ];
}

function againstBare(
  subjects: readonly Subject[],
  subject: Subject,
  connections: number,
  measure: Measure,
): Spread | null {
  const bare = subjects.find(({ variant }) => variant.name === 'bare-express');
  if (!bare) return null;
  const values = (of: Subject) => samplesOf(of, connections)[measure];
  return spreadOf(ratiosOf(values(subject), values(bare)));
}

function spreadText(spread: Spread | null): string {
  if (!spread) return '-';
  const [median, min, max] = [spread.median, spread.min, spread.max].map(numberText);
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

/** Two digits that matter. */
function numberText(value: number): string {
  if (value === 0) return '0';
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2);
}
