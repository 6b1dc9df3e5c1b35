/** How the embedded Stripe is told to misbehave: the options, what they change, and how the present faults are shown. */

import { type Command, InvalidArgumentError } from 'commander';
import { type Faults, openFaults } from '../app.js';
import { durationMs, parseDuration } from '../lib/duration.js';
import { rfc3339 } from '../lib/rfc3339.js';
import type { Cell } from '../terminal/table.js';
import type { Context } from './context.js';
import * as parse from './parse.js';

/** What the options make. */
export interface FaultOptions {
  429?: number;
  500?: number;
  html?: number;
  dropRequests?: number;
  dropAnswers?: number;
  latency?: number;
  outage?: number;
  duplicateWebhooks?: number;
  reorderWebhooks?: number;
  rateLimit?: number;
  off?: true;
}

/** The embedded Stripe takes longer delays for a mistake. */
const latencyMaxMs = 300_000;

const requestsPerSecondMax = 1_000_000;

/** Declares one option a fault. */
export function addFaultOptions(command: Command): Command {
  return command
    .option('--429 <share>', 'refuse so many requests as too many: 5%', share)
    .option('--500 <share>', 'fail so many with a server error, some of them after the work is done', share)
    .option('--html <share>', "answer so many with a load balancer's 502 page in HTML", share)
    .option('--drop-requests <share>', 'reset so many connections before anything is processed', share)
    .option('--drop-answers <share>', 'process so many, and reset the connection instead of answering', share)
    .option('--latency <time>', 'delay every answer: 50ms, 2s', latency)
    .option('--outage <duration>', 'reset every connection for so long: 30s', outage)
    .option('--duplicate-webhooks <share>', 'send so many webhooks twice', share)
    .option(
      '--reorder-webhooks <share>',
      'hold so many webhooks back, so that later ones overtake them',
      share,
    )
    .option(
      '--rate-limit <number>',
      'answer so many requests a second and refuse the rest; 0 for no limit',
      parse.wholeNumber(0, requestsPerSecondMax),
    )
    .option('--off', 'end all faults; what else is given begins');
}

/** Sets what the options ask for, and returns the faults as they are then. `nowMs` is the machine's time. */
export async function changeFaults(context: Context, options: FaultOptions, nowMs: number): Promise<Faults> {
  const faults = await openFaults(context.emulatorSettings());
  try {
    if (options.off) faults.reset();
    return faults.set(changeOf(options, nowMs));
  } finally {
    await faults.close();
  }
}

function changeOf(options: FaultOptions, nowMs: number): Partial<Faults> {
  const change: { [Name in keyof Faults]?: Faults[Name] | undefined } = {
    rateLimited: options[429],
    serverError: options[500],
    badGateway: options.html,
    resetBefore: options.dropRequests,
    resetAfter: options.dropAnswers,
    latencyMs: options.latency,
    outageUntilMs: options.outage && nowMs + options.outage,
    duplicateWebhooks: options.duplicateWebhooks,
    reorderWebhooks: options.reorderWebhooks,
    requestsPerSecond: options.rateLimit === 0 ? null : options.rateLimit,
  };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

/** The faults as scripts read them: shares from 0 to 1, under the options' names. */
export function faultsJson(faults: Faults, nowMs: number) {
  return {
    429: faults.rateLimited,
    500: faults.serverError,
    html: faults.badGateway,
    drop_requests: faults.resetBefore,
    drop_answers: faults.resetAfter,
    latency_ms: faults.latencyMs,
    outage_until: faults.outageUntilMs > nowMs ? rfc3339(faults.outageUntilMs) : null,
    duplicate_webhooks: faults.duplicateWebhooks,
    reorder_webhooks: faults.reorderWebhooks,
    rate_limit: faults.requestsPerSecond,
  };
}

/** The faults as a person reads them, one a line; `quiet` paints what is off. */
export function faultPairs(
  faults: Faults,
  nowMs: number,
  quiet: (text: string) => string,
): readonly (readonly [string, Cell])[] {
  const off = { text: 'off', paint: quiet };
  const percent = (rate: number): Cell => (rate === 0 ? off : `${Number((rate * 100).toPrecision(12))}%`);
  const { latencyMs, outageUntilMs, requestsPerSecond } = faults;
  return [
    ['429', percent(faults.rateLimited)],
    ['500', percent(faults.serverError)],
    ['html', percent(faults.badGateway)],
    ['drop-requests', percent(faults.resetBefore)],
    ['drop-answers', percent(faults.resetAfter)],
    ['latency', latencyMs === 0 ? off : `${latencyMs}ms`],
    ['outage', outageUntilMs > nowMs ? `until ${rfc3339(outageUntilMs)}` : off],
    ['duplicate-webhooks', percent(faults.duplicateWebhooks)],
    ['reorder-webhooks', percent(faults.reorderWebhooks)],
    ['rate-limit', requestsPerSecond === null ? off : `${requestsPerSecond} a second`],
  ];
}

function share(text: string): number {
  const percent = /^\d{1,3}(\.\d{1,6})?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
  if (percent <= 100) return percent / 100;
  throw new InvalidArgumentError('It must be a share of the requests from 0% to 100%, such as 5% or 0.5%.');
}

function latency(text: string): number {
  const match = /^(\d{1,6})(ms|s)$/.exec(text);
  const ms = Number(match?.[1]) * (match?.[2] === 's' ? 1000 : 1);
  if (ms <= latencyMaxMs) return ms;
  throw new InvalidArgumentError('It must be a time such as 50ms or 2s, at most 300s; 0ms for none.');
}

/** Milliseconds; `0s` ends an outage. */
function outage(text: string): number {
  const duration = parseDuration(text);
  const ms = text === '0s' ? 0 : duration && durationMs(duration);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It must be a duration such as 30s, 5m or 2h; 0s ends an outage.');
}
