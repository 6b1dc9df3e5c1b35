/** Processes that sell to one customer on one database, with calls that go on as a test has them do. */

import type { Customer } from '../../src/domain/customer.js';
import type { ApiKey } from '../../src/domain/key.js';
import { apiRoute } from '../../src/domain/route.js';
import { type AnswerHead, answerHead } from '../../src/http/gateway/answer-head.js';
import { RefusedCall } from '../../src/http/gateway/call-meter.js';
import { meterCall } from '../../src/http/gateway/meter-call.js';
import type { MeteredCall } from '../../src/http/gateway/metered-call.js';
import type { PriceTerms } from '../../src/lib/pricing.js';
import { createLedgerWriter } from '../../src/metering/ledger-writer.js';
import { createOpenCalls } from '../../src/metering/open-calls.js';
import { openStore } from '../../src/sqlite/store.js';
import type { FakeProcess } from '../support/processes.js';
import { openOn } from './open-admission.js';

const answer: AnswerHead = answerHead({ method: 'GET', httpVersion: '1.1' }, 200, 'OK', []);
const request = { bytes: 0, ended: true };

/** `call`: its units are known with the head of its answer. `stream`: not before its end. */
export type Kind = 'call' | 'stream';

/** Where it sells, as which process, and at what price. */
export interface Shop {
  path: string;
  process: FakeProcess;
  customer: Customer;
  terms: PriceTerms;
}

/** A call that was let in. */
interface LetIn {
  billing: MeteredCall;
  kind: Kind;
  isAnswered: boolean;
  /** Has it cost so many units more. */
  grow(units: number): void;
}

/** A process. Nothing runs in its background: what is done now and then is done when the test says so. */
export interface Seller {
  /** Lets a call in, where its limits leave so many units. */
  begin(kind: Kind, key: ApiKey, units: number): Promise<void>;
  /** The upstream of one of the calls answers: a call is over with that, and a stream begins. */
  answer(which: number): Promise<void>;
  /** A piece of an answer passes, with which it costs more. Nothing of that is on disk yet. */
  grow(which: number, units: number): void;
  /** Its handler says that one of the calls costs more, and nobody looks at that yet. */
  say(which: number, units: number): void;
  /** Notes on disk what one of the calls costs by now, and with it what all others do. */
  save(which: number): Promise<void>;
  /** One of the calls is over, or its client hangs up. */
  end(which: number, how: 'complete' | 'client-gone'): Promise<void>;
  /** Looks for usage of others. */
  look(): Promise<void>;
  /** Notes how far its calls have come, and closes those of processes that are gone. */
  tend(): Promise<void>;
  /** The process is gone, and its calls stay as they are. */
  crash(): Promise<void>;
}

/** Starts a process. */
export async function openSeller({ path, process, customer, terms }: Shop): Promise<Seller> {
  const { host, end: endProcess } = process;
  const { clock, log } = host;
  const store = await openStore({ path, host });
  const admission = openOn({ store, host }, { termsOf: () => terms });
  const ledger = createLedgerWriter({ store, clock, log });
  const openCalls = createOpenCalls({ store, ledger, host, recount: admission.recount });
  const deps = { ledger, openCalls, clock, log, meter: 'calls', windowMs: 2_000 };
  const metering = { ...deps, baseUrl: () => 'http://localhost', countMisreport: () => undefined };
  const calls: LetIn[] = [];
  const chosen = (which: number) => calls[which % calls.length];

  async function begin(kind: Kind, key: ApiKey, units: number): Promise<void> {
    const atMs = clock.nowMs();
    const decision = await admission.admit({ caller: { customer, key }, priceId: 'price_1', units, atMs });
    if ('refused' in decision) return;
    const caller = { customer, key, allowsAddress: null };
    const tally = createSaidTally(kind, kind === 'call' ? units : 0);
    const route = { rule: apiRoute, name: 'GET /api' };
    const billing = meterCall(metering, route, { caller, admission: decision, atMs }, { tally });
    calls.push({ billing, kind, isAnswered: false, grow: tally.grow });
  }

  async function end(call: LetIn | undefined, how: 'complete' | 'client-gone'): Promise<void> {
    if (!call) return;
    calls.splice(calls.indexOf(call), 1);
    call.billing.end(how);
    // Resolves once a stream is closed on disk.
    await call.billing.answered();
  }

  return {
    begin,
    async answer(which) {
      const call = chosen(which);
      if (!call || call.isAnswered) return;
      call.isAnswered = true;
      const isSold = await call.billing.head(answer, request).then(() => true, unlessRefused);
      if (!isSold || call.kind === 'call') await end(call, 'complete');
    },
    grow(which, units) {
      const call = chosen(which);
      call?.grow(units);
      call?.billing.message('upstream');
    },
    say: (which, units) => chosen(which)?.grow(units),
    save: async (which) => chosen(which)?.billing.save(),
    end: (which, how) => end(chosen(which), how),
    look: admission.tick,
    tend: openCalls.tick,
    async crash() {
      endProcess();
      await store.close();
    },
  };
}

function unlessRefused(error: unknown): false {
  if (!(error instanceof RefusedCall)) throw error;
  return false;
}

/** Counts what it is told. */
function createSaidTally(kind: Kind, units: number) {
  let said = units;
  return {
    head: () => (kind === 'call' ? ('head' as const) : ('end' as const)),
    data: () => undefined,
    message: () => undefined,
    read: () => ({ units: said }),
    grow(more: number): void {
      said += more;
    },
  };
}
