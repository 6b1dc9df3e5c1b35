/** Paying clients: many connections that call as fast as they are answered, whatever happens to the server. */

import { setTimeout as sleep } from 'node:timers/promises';

/** A customer with a key. */
export interface Buyer {
  customerId: string;
  key: string;
}

/** What happened to a customer's calls, in units. */
export interface Tally {
  /** Answered with 200, to the last byte: to be billed. */
  answered: number;
  /** Cut off before the end of the answer: billed once, at most so much. */
  unknown: number;
  /** Refused with another status: not to be billed. */
  refused: number;
}

/** What is asked for, and what it costs. */
export interface Order {
  path: string;
  units: number;
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
const repeatsMax = 1_600;

/**
 * Starts it. Every other connection sends an Idempotency-Key and repeats a call that was cut off until it is answered, which
 * makes it billed exactly once; the others never know.
 */
export function startLoad(
  url: () => string,
  {
    buyers,
    orders,
    connections,
  }: { buyers: readonly Buyer[]; orders: readonly Order[]; connections: number },
): Load {
  const tallies = new Map(
    buyers.map(({ customerId }) => [customerId, { answered: 0, unknown: 0, refused: 0 }]),
  );
  let stopped = false;
  let calls = 0;

  /** The answer, or that the connection was cut. While nobody listens nothing is sent, and so nothing has happened. */
  async function callOnce(
    buyer: Buyer,
    path: string,
    idempotencyKey: string | undefined,
  ): Promise<{ status: number; text: string } | 'cut' | 'closed'> {
    try {
      const answer = await fetch(`${url()}${path}`, {
        headers: {
          authorization: `Bearer ${buyer.key}`,
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
      });
      return { status: answer.status, text: await answer.text() };
    } catch (error) {
      await sleep(pauseMs);
      return isRefused(error) ? 'closed' : 'cut';
    }
  }

  async function call(buyer: Buyer, order: Order, repeats: boolean): Promise<Partial<Tally>> {
    calls += 1;
    const { path, units } = order;
    const idempotencyKey = repeats ? `call-${calls}` : undefined;
    let cut = false;
    for (let attempt = 1; attempt <= repeatsMax; attempt += 1) {
      const answer = await callOnce(buyer, path, idempotencyKey);
      if (answer === 'cut') cut = true;
      else if (answer !== 'closed') {
        if (answer.status === 200) return { answered: units };
        const billed = billedBefore(answer);
        if (billed !== undefined) return { answered: billed };
        // 409: the first call under this key is still being worked on, as far as the server knows.
        await sleep(pauseMs);
      }
      if (!repeats && answer === 'closed') return {};
      if (!repeats) return cut ? { unknown: units } : { refused: units };
    }
    return cut ? { unknown: units } : {};
  }

  async function connect(number: number): Promise<void> {
    for (let turn = number; !stopped; turn += 1) {
      const buyer = buyers[turn % buyers.length];
      const tally = buyer && tallies.get(buyer.customerId);
      const order = orders[calls % orders.length];
      if (!buyer || !tally || !order) return;
      const { answered = 0, unknown = 0, refused = 0 } = await call(buyer, order, number % 2 === 0);
      tally.answered += answered;
      tally.unknown += unknown;
      tally.refused += refused;
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

/** What a call was billed whose answer was cut off, and is not kept: the refusal of its repetition tells. */
function billedBefore({ status, text }: { status: number; text: string }): number | undefined {
  if (status !== 409) return undefined;
  // The program's own problem document.
  const { code, units } = JSON.parse(text) as { code: string; units?: number };
  return code === 'idempotency_key_reused' ? units : undefined;
}

/** Whether nobody listened: `fetch` tells by the cause of its error. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
