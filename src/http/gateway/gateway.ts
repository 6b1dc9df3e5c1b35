/** The gateway to the API that is sold: calls that were let in go to the upstream, and their answers come back. */

import type { Request, Response } from 'express';
import type { RouteRule } from '../../domain/route.js';
import type { KeyedRequest } from '../idempotency.js';
import { presentedKey } from '../presented-key.js';
import { requestIdOf } from '../request-id.js';
import { type CallMeter, freeOfCharge } from './call-meter.js';
import { Exchange } from './exchange.js';
import { isStream, KeptCall } from './kept-call.js';
import { type LetIn, type MeterCallDeps, meterCall } from './meter-call.js';
import { namesUpgrade, requestHeaders, requestTarget } from './request-head.js';
import type { Route } from './route-table.js';
import type { Upstreams } from './upstreams.js';

/** What the gateway needs. */
export interface GatewayDeps extends MeterCallDeps {
  upstreams: Upstreams;
  requestBytesMax: number;
  /** Between two pieces of an answer, also as the client takes them, or of a connection that was handed over. */
  idleTimeoutMs: number;
  /** Counts answers of an upstream that broke off behind their head. */
  countBrokenOff(): void;
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
      // What is sold was asked for with a key, and a bearer token is where a key is looked for first.
      const ownBearer = 'ownBearer' in call ? call.ownBearer : true;
      const headers = requestHeaders(req, {
        requestId: requestIdOf(res),
        scheme: req.protocol,
        address: req.ip ?? '',
        customerId: sold?.caller.customer.id,
        keyId: sold?.caller.key.id,
        ownBearer,
        secret: ownBearer ? presentedKey(req, true) : undefined,
        plain: sold !== undefined && readsBody(route.rule),
      });
      const passage = {
        headers,
        target: requestTarget(req.url),
        requestBytesMax: deps.requestBytesMax,
        body: sold?.keyed?.body,
        upgrade: upgradeOf(req),
      };
      const meter = sold ? meterOf(deps, route, sold) : freeOfCharge;
      const { upstreams, idleTimeoutMs: stallMs } = deps;
      const failed = createFailureReport(deps, route, res);
      return new Exchange({ req, res }, passage, { upstreams, meter, stallMs, failed }).start();
    },
  };
}

function meterOf(deps: GatewayDeps, route: Route, call: SoldCall): CallMeter {
  const { keyed } = call;
  if (!keyed) return meterCall(deps, route, call);
  const answered = keyed.answered(() => kept.answer());
  const repeat = () => keyed.repeat();
  const kept = new KeptCall(meterCall(deps, route, call, { answered, repeat, staysOpen: isStream }));
  return kept;
}

/** Tells the operator what the client can only see as an error. */
function createFailureReport({ log, countBrokenOff }: GatewayDeps, { name }: Route, res: Response) {
  return (how: 'unanswered' | 'broken-off', error: Error): void => {
    const message =
      how === 'unanswered' ? 'an upstream gave no answer' : 'an answer of an upstream broke off';
    if (how === 'broken-off') countBrokenOff();
    log.warn(message, { route: name, requestId: requestIdOf(res), reason: error.message });
  };
}

/** Whether the units stand in the body of the answer, which must then not be compressed. */
function readsBody({ cost }: RouteRule): boolean {
  return cost.by === 'json' || cost.by === 'events' || cost.by === 'last-event';
}

/**
 * The protocol that the client asks for. Another version of HTTP, or TLS, is passed over, as any server may: inside of that,
 * calls would go by unseen.
 */
function upgradeOf(req: Request): string | undefined {
  const { upgrade } = req.headers;
  if (upgrade === undefined || !namesUpgrade(req)) return undefined;
  return upgrade.split(',').some((name) => /^\s*(h2|h3|http|tls)/i.test(name)) ? undefined : upgrade;
}
