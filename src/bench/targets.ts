/** What is to be reached, and whether it is. */

import type { KillResult } from './kill-round.js';
import type { ReportCost } from './report-cost.js';
import { ratiosOf, type Spread, spreadOf } from './spread.js';
import { type Samples, type Subject, samplesOf } from './subjects.js';
import type { VariantName } from './variants.js';

/** One line: what was measured beside what it must and may be. */
export interface Target {
  what: string;
  durability: string;
  unit: 'x' | 'ms' | 'calls';
  /** Whether more is better. */
  isFloor: boolean;
  must: number;
  aim: number;
  /** `null` where it could not be measured. */
  measured: Spread | null;
}

/** How far a target is reached, by its median. */
export function reachedOf({ measured, isFloor, must, aim }: Target): 'aim' | 'must' | 'missed' | null {
  if (measured === null) return null;
  const reaches = (bound: number) => (isFloor ? measured.median >= bound : measured.median <= bound);
  if (reaches(aim)) return 'aim';
  return reaches(must) ? 'must' : 'missed';
}

/** A comparison of two variants under the same load. */
interface Comparison {
  what: string;
  of: VariantName;
  to: VariantName;
  connections: 64 | 1;
  measure: Exclude<keyof Samples, 'connections'>;
  must: number;
  aim: number;
}

const throughput64 = { connections: 64, measure: 'requestsPerSecond' } as const;

const comparisons: readonly Comparison[] = [
  {
    what: 'metered / bare Express',
    ...{ of: 'metered', to: 'bare-express', ...throughput64, must: 2.5, aim: 5.5 },
  },
  { what: 'metered / node:http', of: 'metered', to: 'raw-http', ...throughput64, must: 0.4, aim: 0.75 },
  {
    what: 'metered / same without ledger',
    ...{ of: 'metered', to: 'unrecorded', ...throughput64, must: 0.65, aim: 0.85 },
  },
  {
    what: 'metered / bare Express, p99',
    ...{ of: 'metered', to: 'bare-express', connections: 64, measure: 'p99Ms', must: 1, aim: 0.3 },
  },
  {
    what: 'metered / bare, 1 connection',
    ...{ of: 'metered', to: 'bare-express', connections: 1, measure: 'requestsPerSecond' },
    ...{ must: 0.35, aim: 0.42 },
  },
  {
    what: 'metered / Stripe inside, 0 ms',
    ...{ of: 'metered', to: 'stripe-at-once', ...throughput64, must: 7, aim: 15 },
  },
  {
    what: 'metered / Stripe inside, 150 ms',
    ...{ of: 'metered', to: 'stripe-150-ms', ...throughput64, must: 40, aim: 90 },
  },
  {
    what: 'proxied / http-proxy-middleware',
    ...{ of: 'gateway', to: 'proxy-middleware', ...throughput64, must: 2.5, aim: 5 },
  },
];

/** Everything that was measured beside what it should be. */
export function targetsOf(
  subjects: readonly Subject[],
  others: { killed: KillResult; report: ReportCost; startUp: readonly number[] },
): Target[] {
  const { killed, report, startUp } = others;
  const rows = report.rows.toLocaleString('en');
  return [
    ...comparisons.map((comparison) => targetOf(comparison, subjects)),
    {
      what: `answered, not in the ledger: ${killed.kills} kills`,
      ...{ durability: 'fsync', unit: 'calls', isFloor: false, must: 0, aim: 0 },
      measured: spreadOf([killed.missing]),
    },
    {
      what: `month's reports, ${rows} rows`,
      ...{ durability: 'none', unit: 'ms', isFloor: false, must: 20, aim: 5 },
      measured: spreadOf(report.ms),
    },
    {
      what: 'meterctl --help / node -e 0',
      ...{ durability: 'none', unit: 'x', isFloor: false, must: 1.5, aim: 1.35 },
      measured: spreadOf(startUp),
    },
  ];
}

function targetOf(
  { what, of, to, connections, measure, must, aim }: Comparison,
  subjects: readonly Subject[],
): Target {
  const find = (name: VariantName) => subjects.find(({ variant }) => variant.name === name);
  const [subject, other] = [find(of), find(to)];
  const measured =
    subject && other
      ? ratiosOf(samplesOf(subject, connections)[measure], samplesOf(other, connections)[measure])
      : undefined;
  return {
    what,
    durability: subject?.variant.durability ?? '',
    ...{ unit: 'x', isFloor: measure === 'requestsPerSecond', must, aim },
    measured: measured ? spreadOf(measured) : null,
  };
}
