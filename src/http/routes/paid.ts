/** The paid endpoint: key, access, usage on disk, and only then the answer's head. */

import type { Request, Response } from 'express';
import { accessOf } from '../../access/access.js';
import type { Admission } from '../../access/reservation.js';
import type { Answer } from '../../domain/answer.js';
import { MeterctlError } from '../../domain/error.js';
import type { NewUsage, RecordedUsage } from '../../domain/usage.js';
import type { FoundKey } from '../../keys/key-lookup.js';
import type { KeyUses } from '../../keys/key-uses.js';
import type { Host } from '../../lib/host.js';
import type { LedgerWriter } from '../../metering/ledger-writer.js';
import { reservedUnits } from '../../metering/reserved-units.js';
import { usageRow } from '../../metering/usage-row.js';
import { type AdmitDeps, accessRefusal, admitCall, limitRefusal, unrecorded } from '../admit.js';
import { type AuthenticateDeps, authenticate } from '../authenticate.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Route } from '../gateway/route-table.js';
import { beginKeyed, type KeyedDeps, type KeyedRequest } from '../idempotency.js';
import { type Refusal, sendRefusal } from '../problem.js';
import { requestIdOf } from '../request-id.js';
import { sendWhole } from '../send-whole.js';

/** What the paid endpoint needs. */
export interface PaidDeps extends AuthenticateDeps, AdmitDeps, KeyedDeps {
  host: Host;
  uses: KeyUses;
  ledger: LedgerWriter;
  /** The way to the API that is sold; without it `/api` answers by itself. */
  gateway: Gateway | undefined;
  /** The meter's event name. */
  meter: string;
  windowMs: number;
  pastDueGraceMs: number;
}

/** A call by somebody who may call. */
interface Call {
  route: Route;
  caller: FoundKey;
  priceId: string;
  atMs: number;
  /** Set where the call has an Idempotency-Key. */
  keyed: KeyedRequest | undefined;
}

/** The answer's fixed part, one character a byte: such a string is written with the head, in one go and without encoding. */
const answerStart = Buffer.from(`{"data":"${'🔥'.repeat(8)}","usage":{"units":`).toString('latin1');
const contentType = 'application/json; charset=utf-8';

/**
 * Answers calls that cost something. Without an Idempotency-Key each step waits only for what memory does not have, and no
 * promise stands between the call and what carries it out: waiting for what is here already costs as much as the step.
 */
export function paid(deps: PaidDeps): (req: Request, res: Response, route: Route) => Promise<void> {
  return function paid(req, res, route) {
    const nowMs = deps.host.clock.nowMs();
    const caller = authenticate(req, deps, nowMs, route.rule.scope);
    if (!(caller instanceof Promise)) return serve(deps, req, res, { route, caller, nowMs });
    return caller.then((late) => serve(deps, req, res, { route, caller: late, nowMs }));
  };
}

/** A call by somebody, or by nobody who is known. */
interface Asked {
  route: Route;
  caller: FoundKey | Refusal;
  nowMs: number;
}

/** Sells to those who may call. */
function serve(deps: PaidDeps, req: Request, res: Response, { route, caller, nowMs }: Asked): Promise<void> {
  if ('refused' in caller) return refuse(res, caller);
  const access = accessOf(caller.customer, nowMs, deps.pastDueGraceMs);
  if (!access.allowed) return refuse(res, accessRefusal(access.code, deps.baseUrl()));
  deps.uses.note(caller.key.no, nowMs);
  if (access.warning) res.setHeader('Meterctl-Warning', access.warning);
  const call: Call = { route, caller, priceId: access.subscription.priceId, atMs: nowMs, keyed: undefined };
  return req.headers['idempotency-key'] === undefined
    ? sell(deps, req, res, call)
    : sellOnce(deps, req, res, call);
}

async function refuse(res: Response, refusal: Refusal): Promise<void> {
  sendRefusal(res, refusal);
}

/** Sells under an Idempotency-Key. */
async function sellOnce(deps: PaidDeps, req: Request, res: Response, call: Call): Promise<void> {
  const keyed = await beginKeyed(deps, req, res, call);
  if (!keyed) return;
  try {
    await sell(deps, req, res, { ...call, keyed });
  } catch (error) {
    keyed.end();
    throw error;
  }
}

/** Lets the call through its limits. */
function sell(deps: PaidDeps, req: Request, res: Response, call: Call): Promise<void> {
  const { route, caller, priceId, atMs } = call;
  const units = reservedUnits(route.rule, req.headers['content-length']);
  const admitted = admitCall(deps, { caller, priceId, units, atMs });
  if (!(admitted instanceof Promise)) return carryOut(deps, req, res, call, admitted);
  return admitted.then((late) => carryOut(deps, req, res, call, late));
}

/** Has the call answered here or by the API that is sold, if it was let in. */
function carryOut(
  deps: PaidDeps,
  req: Request,
  res: Response,
  call: Call,
  admitted: Admission | Refusal,
): Promise<void> {
  const { route, caller, atMs, keyed } = call;
  if ('refused' in admitted) {
    keyed?.end();
    return refuse(res, admitted);
  }
  const admission = keyed ? releasingKey(admitted, keyed) : admitted;
  if (deps.gateway) return deps.gateway.forward(req, res, route, { caller, admission, atMs, keyed });
  return answer(deps, res, call, admission);
}

/** Answers once the usage is durable; when it cannot be, gives nothing. */
async function answer(deps: PaidDeps, res: Response, call: Call, admission: Admission): Promise<void> {
  try {
    let recorded: RecordedUsage;
    try {
      const made = deps.ledger.record(usageOf(deps, call, admission));
      recorded = made instanceof Promise ? await made : made;
      while (recorded.recorded === 'no_room') {
        const refusal = await admission.lookAgain(1, call.atMs);
        if (refusal) return sendRefusal(res, limitRefusal(refusal, deps.baseUrl()));
        recorded = await deps.ledger.record(usageOf(deps, call, admission));
      }
    } catch (error) {
      admission.excuse();
      // The ledger writer tells of the outage once; only a defect is told for each call.
      if (!(error instanceof MeterctlError)) throw error;
      return sendRefusal(res, unrecorded);
    }
    if (recorded.recorded === 'repeat') {
      // What it held is not used, and the answer tells how limits stand.
      admission.excuse();
      admission.release();
      return await call.keyed?.repeat();
    }
    admission.settle(recorded.units);
    sendAnswer(res, recorded, admission);
  } finally {
    admission.release();
  }
}

function sendAnswer(res: Response, recorded: RecordedUsage, admission: Admission): void {
  const body = answerBody(recorded);
  // A list: an object that takes up another's fields costs more than all else that is done here.
  res.writeHead(200, [
    'X-Request-Id',
    requestIdOf(res),
    'Content-Type',
    contentType,
    'Content-Length',
    body.length,
    'Meterctl-Units',
    recorded.units,
    ...admission.headers(),
  ]);
  sendWhole(res, body);
}

/** The key is held as long as the call is. */
function releasingKey(admission: Admission, keyed: KeyedRequest): Admission {
  return {
    headers: () => admission.headers(),
    hold: (units) => admission.hold(units),
    holdUpTo: (units) => admission.holdUpTo(units),
    get held() {
      return admission.held;
    },
    get atMs() {
      return admission.atMs;
    },
    get room() {
      return admission.room;
    },
    lookAgain: (units, atMs) => admission.lookAgain(units, atMs),
    settle: (units, atMs) => admission.settle(units, atMs),
    excuse: () => admission.excuse(),
    release() {
      admission.release();
      keyed.end();
    },
  };
}

function usageOf(deps: PaidDeps, call: Call, { room }: Admission): NewUsage {
  const { route, caller, atMs, keyed } = call;
  const { key, customer } = caller;
  const answered = keyed?.answered(answerTo);
  return usageRow({ customer, keyNo: key.no, route: route.name, units: 1, atMs, answered, room }, deps);
}

function answerBody({ units, periodUnits }: RecordedUsage): string {
  return `${answerStart}${units},"period_units":${periodUnits}}}`;
}

function answerTo(recorded: RecordedUsage): Answer & { body: Uint8Array } {
  return {
    status: 200,
    headers: { 'Content-Type': contentType },
    body: Buffer.from(answerBody(recorded), 'latin1'),
  };
}
