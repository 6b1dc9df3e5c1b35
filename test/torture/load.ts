/** Paying clients: many connections that call as fast as they are answered, whatever happens to the server. */

import { setTimeout as sleep } from 'node:timers/promises';

/** A customer with a key. */
export interface Buyer {
  customerId: string;
  key: string;
}

/** What happened to a customer's calls. */
export interface Tally {
  /** Answered with 200: to be billed. */
  answered: number;
  /** Cut off before an answer came: billed once, or not at all. */
  unknown: number;
  /** Refused with another status: not to be billed. */
  refused: number;
}

/** A running load. */
export interface Load {
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Begins no further call and waits for those in flight. */
  stop(): Promise<void>;
}

/** After a cut connection a client waits for so long. */
const pauseMs = 25;

/** A call that is repeated under its key is given up after so many times. */
const repeatsMax = 400;

/**
 * Starts it. Every other connection sends an Idempotency-Key and repeats a call that was cut off until it is answered, which
 * makes it billed exactly once; the others never know.
 */
export function startLoad(url: () => string, buyers: readonly Buyer[], connections: number): Load {
  const tallies = new Map(
    buyers.map(({ customerId }) => [customerId, { answered: 0, unknown: 0, refused: 0 }]),
  );
  let stopped = false;
  let calls = 0;

  /** The status, or that the connection was cut. While nobody listens nothing is sent, and so nothing has happened. */
  async function callOnce(
    buyer: Buyer,
    idempotencyKey: string | undefined,
  ): Promise<number | 'cut' | 'closed'> {
    try {
      const answer = await fetch(`${url()}/api`, {
        headers: {
          authorization: `Bearer ${buyer.key}`,
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch (error) {
      await sleep(pauseMs);
      return isRefused(error) ? 'closed' : 'cut';
    }
  }

  async function call(buyer: Buyer, repeats: boolean): Promise<keyof Tally | undefined> {
    calls += 1;
    const idempotencyKey = repeats ? `call-${calls}` : undefined;
    let cut = false;
    for (let attempt = 1; attempt <= repeatsMax; attempt += 1) {
      const status = await callOnce(buyer, idempotencyKey);
      if (status === 200) return 'answered';
      if (status === 'cut') cut = true;
      // 409: the first call under this key is still being worked on, as far as the server knows.
      else if (status !== 'closed') await sleep(pauseMs);
      if (!repeats && status === 'closed') return undefined;
      if (!repeats) return cut ? 'unknown' : 'refused';
    }
    return cut ? 'unknown' : undefined;
  }

  async function connect(number: number): Promise<void> {
    for (let turn = number; !stopped; turn += 1) {
      const buyer = buyers[turn % buyers.length];
      const tally = buyer && tallies.get(buyer.customerId);
      if (!buyer || !tally) return;
      const outcome = await call(buyer, number % 2 === 0);
      if (outcome !== undefined) tally[outcome] += 1;
    }
  }

  const running = Array.from({ length: connections }, (_, number) => connect(number));
  return {
    tallies,
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
}

/** Whether nobody listened: `fetch` tells by the cause of its error. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
