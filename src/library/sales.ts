/** Lets calls in as the daemon does, and knows which of them run. */

import { accessOf } from '../access/access.js';
import { accessRefusal, admitCall } from '../http/admit.js';
import { authenticate } from '../http/authenticate.js';
import { type MeterCallDeps, meterCall } from '../http/gateway/meter-call.js';
import type { Route } from '../http/gateway/route-table.js';
import type { Asking } from '../http/presented-key.js';
import type { Refusal } from '../http/problem.js';
import type { PaidDeps } from '../http/routes/paid.js';
import type { Clock } from '../lib/host.js';
import { reservedUnits } from '../metering/reserved-units.js';
import type { RequestSigns } from '../metering/tally.js';
import { Call, type CallParts, type Sold } from './call.js';
import { createSpokenTally } from './spoken-tally.js';

/** What selling needs. */
export interface SalesDeps extends Omit<PaidDeps, 'repeats' | 'gateway'>, MeterCallDeps {
  /** The machine's own, which handlers are waited for by. */
  clock: Clock;
  metrics: { countCall(outcome: string): void };
  idleMs: number;
}

/** A request for something that is sold. */
export interface Order extends Asking {
  /** `undefined` where its price cannot be told. */
  route: Route | undefined;
  requestId: string;
  /** The header. */
  contentLength: string | undefined;
  /** Its body, as far as it came; `undefined` where nobody knows how long that is. */
  body: RequestSigns | undefined;
}

/** Sells. */
export interface Sales {
  /** Lets a call in, or says why not. What was let in must be ended. */
  begin(order: Order): Promise<Call | Refusal>;
  /** Lets nobody in any more, and resolves when all calls have ended, or were broken off after the grace. */
  close(): Promise<void>;
}

/** How long running calls are waited for. */
const closeGraceMs = 10_000;

const unpriced: Refusal = { refused: 'invalid_request', detail: 'The path can be read in two ways.' };

const closed: Refusal = { refused: 'unavailable', detail: 'This server is being stopped. Please try again.' };

/** Makes sales that nobody has asked for yet. */
export function createSales(deps: SalesDeps): Sales {
  const running = new Set<Call>();
  let whenIdle: (() => void) | undefined;
  let isClosed = false;

  function partsOf({ rule }: Route, { requestId, body }: Order): CallParts {
    return {
      ...{ requestId, rule, clock: deps.clock, idleMs: deps.idleMs },
      request: body ?? { bytes: 0, ended: true },
      ended(call) {
        running.delete(call);
        if (running.size === 0) whenIdle?.();
      },
    };
  }

  function run(parts: CallParts): Call {
    const call = new Call(parts);
    running.add(call);
    return call;
  }

  return {
    async begin(order) {
      if (isClosed) return closed;
      const { route } = order;
      if (!route) return unpriced;
      const parts = partsOf(route, order);
      if (route.rule.free) return run(parts);
      const letIn = await sell(deps, route, order, (sold) => run({ ...parts, sold }));
      if ('refused' in letIn) deps.metrics.countCall(letIn.refused);
      return letIn;
    },
    async close() {
      isClosed = true;
      if (running.size === 0) return;
      const idle = new AbortController();
      whenIdle = () => idle.abort();
      await deps.clock.sleep(closeGraceMs, idle.signal);
      for (const call of [...running]) call.end('client-gone');
    },
  };
}

/** The steps of a paid call, as in the daemon: key, access, limits. */
async function sell(
  deps: SalesDeps,
  route: Route,
  order: Order,
  run: (sold: Sold) => Call,
): Promise<Call | Refusal> {
  const { rule } = route;
  const atMs = deps.host.clock.nowMs();
  const caller = await authenticate(order, deps, atMs, rule.scope);
  if ('refused' in caller) return caller;
  const { key, customer } = caller;
  const access = accessOf(customer, atMs, deps.pastDueGraceMs);
  if (!access.allowed) return accessRefusal(access.code, deps.baseUrl());
  deps.uses.note(key.no, atMs);
  const { priceId } = access.subscription;
  const units = reservedUnits(rule, order.contentLength);
  const admission = await admitCall(deps, { caller, priceId, units, atMs });
  if ('refused' in admission) return admission;
  const tally = createSpokenTally(rule.cost, {
    hasLength: order.body !== undefined,
    isWhole: () => call.isWhole,
  });
  const billing = meterCall(deps, route, { caller, admission, atMs }, { tally });
  const call = run({ billing, tally, customerId: customer.id, keyId: key.id, warning: access.warning });
  return call;
}
