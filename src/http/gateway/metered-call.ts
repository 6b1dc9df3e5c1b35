/** One call that is sold: its usage is on disk before the head of its answer goes out. */

import type { LimitRefusal } from '../../access/limit-refusal.js';
import type { Admission } from '../../access/reservation.js';
import { MeterctlError } from '../../domain/error.js';
import { isBilled, type RouteRule } from '../../domain/route.js';
import type { RecordedUsage } from '../../domain/usage.js';
import { chargeOf } from '../../metering/charge.js';
import type { CallBeginning, OpenCall } from '../../metering/open-calls.js';
import { createTally, documentBytesMax, type RequestSigns, type Tally } from '../../metering/tally.js';
import type { Refusal } from '../problem.js';
import type { AnswerHead } from './answer-head.js';
import { AnsweredBefore, type CallEnd, type CallMeter, RefusedCall, unlessRefused } from './call-meter.js';

/** What a call is billed with. */
export interface MeteredCallDeps {
  rule: RouteRule;
  admission: Admission;
  /** Why no limit has room for the call, as its client is told. */
  refusalOf(refusal: LimitRefusal): Refusal;
  /** Counts in place of what the rule says. */
  tally?: Tally | undefined;
  /** When the call came: its units are used then, unless it is begun with `open`. */
  atMs: number;
  /** Writes the units of the call; resolves once they are on disk. */
  record(units: number): RecordedUsage | Promise<RecordedUsage>;
  /** Begins a call whose units are known at its end; resolves once that is on disk. */
  open(call: Pick<CallBeginning, 'owed' | 'outsold'>): Promise<OpenCall | 'no_room'>;
  /** The upstream told nonsense. */
  misreported(why: string): void;
  /** Whether the ledger is told of the answer's end, although its units are known before. */
  staysOpen?: ((answer: AnswerHead) => boolean) | undefined;
  /** Gives the client what another process has answered to the same call. */
  repeat?: (() => Promise<void>) | undefined;
}

/**
 * `waiting`: nothing is owed yet. `writing`: what is owed is on its way to the disk. `open`: it is on disk that the call
 * runs. `done`: it is known what is owed.
 */
type Stage = 'waiting' | 'writing' | 'open' | 'done';

/** Bills one call by its route's rule. */
export class MeteredCall implements CallMeter {
  readonly outlivesClient: boolean;
  readonly holdBytesMax: number;
  readonly #deps: MeteredCallDeps;
  readonly #tally: Tally;
  #isBilled = false;
  #stage: Stage = 'waiting';
  #beginning: Promise<OpenCall> | undefined;
  #open: OpenCall | undefined;
  /** Set once the call that ran is being closed: its fields, when that is on disk. */
  #closing: Promise<string[]> | undefined;
  #over: CallEnd | undefined;
  /** Goes on with `head` where that waits for the body. */
  #whole: () => void = () => undefined;
  #isWhole = false;
  #bytes = 0;
  /** Set while the units are counted as the answer passes. */
  #isCounting = false;
  #isUsedUp = false;

  constructor(deps: MeteredCallDeps) {
    const { onAbort, cost } = deps.rule;
    this.#deps = deps;
    this.#tally = deps.tally ?? createTally(cost);
    this.outlivesClient = onAbort === 'upstream';
    this.holdBytesMax = cost.by === 'json' ? documentBytesMax : 0;
  }

  get isBilled(): boolean {
    return this.#isBilled;
  }

  async head(answer: AnswerHead, request: RequestSigns): Promise<string[]> {
    const { rule, admission } = this.#deps;
    if (!isBilled(rule, answer.status)) {
      this.#stage = 'done';
      // Given back before the answer tells how limits stand.
      admission.settle(0);
      return this.#bill(0);
    }
    const known = this.#tally.head(answer, request);
    if (known === 'whole') await this.#untilWhole();
    if (this.#over !== undefined) return [];
    this.#isCounting = known === 'end';
    const mayChange = this.#isCounting || rule.onAbort === 'none';
    const staysOpen = mayChange || this.#deps.staysOpen?.(answer) === true;
    const units = staysOpen ? this.#told() : this.#charge();
    // Whatever the upstream has done: an answer that no limit has room for is not given, and not billed.
    const refusal = this.#isCounting ? undefined : admission.hold(units);
    if (refusal) throw new RefusedCall(this.#deps.refusalOf(refusal));
    this.#stage = 'writing';
    this.#isBilled = true;
    try {
      if (staysOpen) return await this.#begin(mayChange ? undefined : units);
      const recorded = await this.#record(units);
      if (recorded.recorded === 'repeat' && this.#deps.repeat) throw new AnsweredBefore(this.#deps.repeat);
      admission.settle(units);
      return this.#bill(units);
    } catch (error) {
      admission.excuse();
      throw error;
    } finally {
      if (this.#stage === 'writing') this.#stage = 'done';
      if (this.#over !== undefined) this.#release();
    }
  }

  get isUsedUp(): boolean {
    return this.#isUsedUp;
  }

  data(chunk: Uint8Array): void {
    if (this.#stage === 'done') return;
    this.#tally.data(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > this.holdBytesMax) this.#goOn();
    if (this.#isCounting) this.#owed();
  }

  message(from: 'client' | 'upstream'): void {
    this.#tally.message(from);
    if (this.#isCounting) this.#owed();
  }

  answered(): string[] | Promise<string[]> {
    this.#goOn();
    if (this.#stage === 'open') this.#close('complete');
    return this.#closing ?? [];
  }

  /**
   * Resolves once what the tally was told from outside is on disk, or at once while it will be before the head goes out; a
   * call that is not billed, or was broken off, stays as it is. Rejects with `conflict` when it came too late.
   */
  async save(): Promise<void> {
    if (this.#stage === 'waiting') return;
    // Where the call is refused, `head` says so.
    if (this.#stage === 'writing') await this.#beginning?.catch(unlessRefused);
    if (this.#stage === 'open') return this.#open?.save();
    if (!this.#isBilled || (this.#over !== undefined && this.#over !== 'complete')) return;
    throw new MeterctlError('conflict', 'The answer is complete, and its units are in the ledger already.');
  }

  end(how: CallEnd): void {
    if (this.#over !== undefined) return;
    this.#over = how;
    this.#goOn();
    if (this.#stage === 'open') this.#close(how);
    this.#release();
  }

  /** What is being written holds its units until it is; so does a call that ran. */
  #release(): void {
    if (this.#stage !== 'writing' && !this.#open) this.#deps.admission.release();
  }

  /** The body is here, or as much of it as is waited for. */
  #goOn(): void {
    this.#isWhole = true;
    this.#whole();
  }

  #untilWhole(): Promise<void> {
    if (this.#isWhole) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whole = resolve;
    });
  }

  async #record(units: number): Promise<RecordedUsage> {
    for (;;) {
      const recorded = await this.#deps.record(units);
      if (recorded.recorded !== 'no_room') return recorded;
      await this.#outsold(units, this.#deps.atMs);
    }
  }

  /** Puts the call on disk, with nothing but that it runs. */
  async #begin(units?: number): Promise<string[]> {
    this.#beginning = this.#openCall();
    this.#open = await this.#beginning;
    this.#stage = 'open';
    if (this.#over !== undefined) this.#close(this.#over);
    return this.#bill(units);
  }

  async #openCall(): Promise<OpenCall> {
    const owed = () => this.#owed();
    const outsold = () => {
      this.#isUsedUp = true;
    };
    for (;;) {
      const open = await this.#deps.open({ owed, outsold });
      if (open !== 'no_room') return open;
      const { held, atMs } = this.#deps.admission;
      await this.#outsold(held, atMs ?? this.#deps.atMs);
    }
  }

  /** Other processes have sold what the call needs. Returns where there is room again, otherwise the call is refused. */
  async #outsold(units: number, atMs: number): Promise<void> {
    const { admission, refusalOf } = this.#deps;
    const refusal = await admission.lookAgain(units, atMs);
    if (!refusal) return;
    this.#isBilled = false;
    throw new RefusedCall(refusalOf(refusal));
  }

  #close(how: CallEnd): void {
    // Whoever is cut off by his own limits did not hang up.
    const nothing = how !== 'complete' && this.#deps.rule.onAbort === 'none' && !this.#isUsedUp;
    const owed = nothing ? 'nothing' : this.#within(this.#charge());
    this.#stage = 'done';
    this.#closing = this.#open?.end(owed).then((billed) => ['Meterctl-Units', String(billed)]);
  }

  /** The units so far. */
  #owed(): number {
    return this.#within(this.#told());
  }

  #told(): number {
    return chargeOf(this.#tally.read(), this.#deps.rule).units;
  }

  /** Has the call hold so many units. When the limits do not leave them, it owes what they leave, and is cut off. */
  #within(units: number): number {
    const held = this.#deps.admission.holdUpTo(units);
    this.#isUsedUp ||= held < units;
    return Math.min(units, held);
  }

  /** What the answer says of limits, and of its units where they are known. */
  #bill(units?: number): string[] {
    const fields = this.#deps.admission.headers();
    return units === undefined ? [...fields] : [...fields, 'Meterctl-Units', String(units)];
  }

  #charge(): number {
    const { units, why } = chargeOf(this.#tally.read(), this.#deps.rule);
    if (why !== undefined) this.#deps.misreported(why);
    return units;
  }
}
