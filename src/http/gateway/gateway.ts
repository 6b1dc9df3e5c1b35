/** The gateway to the API that is sold: calls that were let in go to the upstream, and their answers come back. */

import type { Request, Response } from 'express';
import type { RouteRule } from '../../domain/route.js';
import type { KeyedRequest } from '../idempotency.js';
import { requestIdOf } from '../request-id.js';
import { type CallMeter, freeOfCharge } from './call-meter.js';
import { Exchange } from './exchange.js';
import { KeptCall } from './kept-call.js';
import { type LetIn, type MeterCallDeps, meterCall } from './meter-call.js';
import { requestHeaders, requestTarget } from './request-head.js';
import type { Route } from './route-table.js';
import type { Upstreams } from './upstreams.js';

/** What the gateway needs. */
export interface GatewayDeps extends MeterCallDeps {
  upstreams: Upstreams;
  requestBytesMax: number;
}

/** A call that was let in. */
export interface SoldCall extends LetIn {
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

function meterOf(deps: GatewayDeps, route: Route, call: SoldCall): CallMeter {
  const { keyed } = call;
  if (!keyed) return meterCall(deps, route, call);
  const answered = keyed.answered(() => kept.answer());
  const kept = new KeptCall(meterCall(deps, route, call, { answered, repeat: () => keyed.repeat() }));
  return kept;
}

/** Whether the units stand in the body of the answer, which must then not be compressed. */
function readsBody({ cost }: RouteRule): boolean {
  return cost.by === 'json' || cost.by === 'events' || cost.by === 'last-event';
}

/** Only a request whose `Connection` names it asks for another protocol (RFC 9110 7.8). */
function isUpgrade(req: Request): boolean {
  return req.headers.upgrade !== undefined && /\bupgrade\b/i.test(req.headers.connection ?? '');
}
