/** The gateway to the API that is sold: calls that were let in go to the upstream, and their answers come back. */

import type { Request, Response } from 'express';
import type { Admission } from '../../access/admission.js';
import type { RouteRule } from '../../domain/route.js';
import type { FoundKey } from '../../keys/key-lookup.js';
import type { Clock, Log } from '../../lib/host.js';
import type { LedgerWriter } from '../../metering/ledger-writer.js';
import type { OpenCalls } from '../../metering/open-calls.js';
import { usageRow } from '../../metering/usage-row.js';
import type { KeyedRequest } from '../idempotency.js';
import { requestIdOf } from '../request-id.js';
import { type CallMeter, freeOfCharge } from './call-meter.js';
import { Exchange } from './exchange.js';
import { KeptCall, noAnswer } from './kept-call.js';
import { MeteredCall } from './metered-call.js';
import { requestHeaders, requestTarget } from './request-head.js';
import type { Route } from './route-table.js';
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
  /** Counts what an upstream told that cannot be billed. */
  countMisreport(): void;
}

/** A call that was let in. */
export interface SoldCall {
  caller: FoundKey;
  admission: Admission;
  atMs: number;
  /** Set where the call has an Idempotency-Key. */
  keyed?: KeyedRequest | undefined;
}

/** A call that costs nothing. */
export interface FreeCall {
  /** Whether it brought a key of ours all the same, which the upstream must not see. */
  ownBearer: boolean;
}

/** Passes calls on. */
export interface Gateway {
  /** Takes over request and answer. Resolves once it is decided what the client is told. */
  forward(req: Request, res: Response, route: Route, call: SoldCall | FreeCall): Promise<void>;
}

/** Makes the gateway. */
export function createGateway(deps: GatewayDeps): Gateway {
  return {
    forward(req, res, route, call) {
      const sold = 'caller' in call ? call : undefined;
      const headers = requestHeaders(req, {
        requestId: requestIdOf(res),
        scheme: req.protocol,
        address: req.ip ?? '',
        customerId: sold?.caller.customer.id,
        keyId: sold?.caller.key.id,
        // What is sold was asked for with a key, and a bearer token is where a key is looked for first.
        ownBearer: 'ownBearer' in call ? call.ownBearer : true,
        plain: sold !== undefined && readsBody(route.rule),
      });
      const passage = {
        headers,
        target: requestTarget(req.url),
        requestBytesMax: deps.requestBytesMax,
        body: sold?.keyed?.body,
        upgrade: isUpgrade(req) ? req.headers.upgrade : undefined,
      };
      const meter = sold ? meterOf(deps, route, sold) : freeOfCharge;
      return new Exchange({ req, res }, passage, { upstreams: deps.upstreams, meter }).start();
    },
  };
}

function meterOf(deps: GatewayDeps, { rule, name }: Route, call: SoldCall): CallMeter {
  const { caller, admission, keyed } = call;
  const { customer, key } = caller;
  const usage = (units: number, atMs: number) =>
    usageRow({ customer, keyNo: key.no, route: name, units, atMs }, deps);
  let kept: KeptCall | undefined;
  const answered = keyed?.answered(() => kept?.answer() ?? noAnswer);
  const metered = new MeteredCall({
    rule,
    admission,
    record: (units) => deps.ledger.record({ ...usage(units, call.atMs), answered }),
    open: (owed) =>
      deps.openCalls.open({
        usage: (units) => usage(units, deps.clock.nowMs()),
        last: (units) => ({ ...usage(units, deps.clock.nowMs()), answered }),
        owed,
        onAbort: rule.onAbort,
        settled(units) {
          admission.settle(units);
          admission.release();
        },
      }),
    misreported(why) {
      deps.countMisreport();
      deps.log.warn('an upstream told no usable units; the fallback is billed', { route: name, why });
    },
    repeat: keyed && (() => keyed.repeat()),
  });
  kept = keyed && new KeptCall(metered);
  return kept ?? metered;
}

/** Whether the units stand in the body of the answer, which must then not be compressed. */
function readsBody({ cost }: RouteRule): boolean {
  return cost.by === 'json' || cost.by === 'events' || cost.by === 'last-event';
}

/** Only a request whose `Connection` names it asks for another protocol (RFC 9110 7.8). */
function isUpgrade(req: Request): boolean {
  return req.headers.upgrade !== undefined && /\bupgrade\b/i.test(req.headers.connection ?? '');
}
