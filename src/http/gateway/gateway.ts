/** The gateway to the API that is sold: calls that were let in go to the upstream, and their answers come back. */

import type { Request, Response } from 'express';
import type { Admission } from '../../access/admission.js';
import { apiRoute, type RouteRule } from '../../domain/route.js';
import type { FoundKey } from '../../keys/key-lookup.js';
import type { Clock, Log } from '../../lib/host.js';
import type { LedgerWriter } from '../../metering/ledger-writer.js';
import type { OpenCalls } from '../../metering/open-calls.js';
import { usageRow } from '../../metering/usage-row.js';
import type { KeyedRequest } from '../idempotency.js';
import { sendProblem } from '../problem.js';
import { Exchange } from './exchange.js';
import { MeteredCall } from './metered-call.js';
import { requestHeaders, requestTarget } from './request-head.js';
import { suspicion } from './suspicious.js';
import type { Upstreams } from './upstreams.js';

/** What the gateway needs. */
export interface GatewayDeps {
  upstreams: Upstreams;
  ledger: LedgerWriter;
  openCalls: OpenCalls;
  clock: Clock;
  log: Log;
  /** The meter's event name. */
  meter: string;
  windowMs: number;
  requestBytesMax: number;
}

/** A call that was let in. */
export interface SoldCall {
  caller: FoundKey;
  admission: Admission;
  atMs: number;
  /** Set where the call has an Idempotency-Key. */
  keyed?: KeyedRequest | undefined;
}

/** Passes calls on. */
export interface Gateway {
  /** Takes over request and answer. */
  forward(req: Request, res: Response, call: SoldCall): void;
}

/** Makes the gateway. */
export function createGateway(deps: GatewayDeps): Gateway {
  return {
    forward(req, res, call) {
      const why = suspicion(req);
      if (why !== undefined) {
        call.admission.release();
        res.shouldKeepAlive = false;
        return sendProblem(res, 'invalid_request', why);
      }
      const { rule, name } = { rule: apiRoute, name: `${req.method} /api` };
      const headers = requestHeaders(req, {
        requestId: String(res.getHeader('x-request-id')),
        scheme: req.protocol,
        address: req.ip ?? '',
        customerId: call.caller.customer.id,
        keyId: call.caller.key.id,
        plain: readsBody(rule),
      });
      const passage = {
        target: requestTarget(req.url),
        headers,
        requestBytesMax: deps.requestBytesMax,
      };
      const meter = meterOf(deps, call, rule, name);
      new Exchange({ req, res }, passage, { upstreams: deps.upstreams, meter }).start();
    },
  };
}

function meterOf(deps: GatewayDeps, call: SoldCall, rule: RouteRule, name: string): MeteredCall {
  const { caller, admission } = call;
  const { customer, key } = caller;
  const usage = (units: number, atMs: number) =>
    usageRow({ customer, keyNo: key.no, route: name, units, atMs }, deps);
  return new MeteredCall({
    rule,
    admission,
    record: (units) => deps.ledger.record(usage(units, call.atMs)),
    open: (owed) =>
      deps.openCalls.open({
        usage: (units) => usage(units, deps.clock.nowMs()),
        owed,
        onAbort: rule.onAbort,
        settled(units) {
          admission.settle(units);
          admission.release();
        },
      }),
    misreported(why) {
      deps.log.warn('an upstream told no usable units; the fallback is billed', { route: name, why });
    },
  });
}

/** Whether the units stand in the body of the answer, which must then not be compressed. */
function readsBody({ cost }: RouteRule): boolean {
  return cost.by === 'json' || cost.by === 'events' || cost.by === 'last-event';
}
