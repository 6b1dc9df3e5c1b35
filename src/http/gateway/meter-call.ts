/** Bills one call that was let in: its rule, its reservation and the ledger, put together. */

import type { Admission } from '../../access/reservation.js';
import type { AnsweredCall } from '../../domain/answer.js';
import type { CallStep } from '../../domain/open-call.js';
import type { FoundKey } from '../../keys/key-lookup.js';
import type { Clock, Log } from '../../lib/host.js';
import type { LedgerWriter } from '../../metering/ledger-writer.js';
import type { OpenCalls } from '../../metering/open-calls.js';
import type { Tally } from '../../metering/tally.js';
import { usageRow } from '../../metering/usage-row.js';
import { limitRefusal } from '../admit.js';
import type { AnswerHead } from './answer-head.js';
import { MeteredCall } from './metered-call.js';
import type { Route } from './route-table.js';

/** What billing calls needs. */
export interface MeterCallDeps {
  ledger: LedgerWriter;
  openCalls: OpenCalls;
  clock: Clock;
  log: Log;
  /** The meter's event name. */
  meter: string;
  windowMs: number;
  /** How buyers reach the pages. */
  baseUrl(): string;
  /** Counts what was told of units that cannot be billed. */
  countMisreport(): void;
}

/** A call that was let in. */
export interface LetIn {
  caller: FoundKey;
  admission: Admission;
  atMs: number;
}

/** How this call differs from others of its route. */
export interface MeterCallOptions {
  /** Counts in place of what the rule says. */
  tally?: Tally;
  /** The answer is kept with the usage. */
  answered?: AnsweredCall | undefined;
  /** Whether the ledger is told of the answer's end, although its units are known before. */
  staysOpen?: (answer: AnswerHead) => boolean;
  /** Gives the client what another process has answered to the same call. */
  repeat?: (() => Promise<void>) | undefined;
}

/** Makes the call's meter; its reservation ends with it. */
export function meterCall(
  deps: MeterCallDeps,
  { rule, name }: Route,
  { caller: { customer, key }, admission, atMs }: LetIn,
  { tally, answered, staysOpen, repeat }: MeterCallOptions = {},
): MeteredCall {
  const usage = (units: number, usedAtMs: number, call?: CallStep) =>
    usageRow(
      { customer, keyNo: key.no, route: name, units, atMs: usedAtMs, answered, call, room: admission.room },
      deps,
    );
  return new MeteredCall({
    rule,
    admission,
    tally,
    staysOpen,
    repeat,
    refusalOf: (refusal) => limitRefusal(refusal, deps.baseUrl()),
    atMs,
    record: (units) => deps.ledger.record(usage(units, atMs)),
    open: ({ owed, outsold }) =>
      deps.openCalls.open({
        usage: (units, call) => usage(units, admission.atMs ?? deps.clock.nowMs(), call),
        owed,
        outsold,
        held: () => admission.held,
        onAbort: rule.onAbort,
        settled(units, usedAtMs) {
          admission.settle(units, usedAtMs);
          admission.release();
        },
      }),
    misreported(why) {
      deps.countMisreport();
      deps.log.warn('an upstream told no usable units; the fallback is billed', { route: name, why });
    },
  });
}
