/** Daemons that are wrong on purpose, each in one way in which a program like this may be wrong. */

import { deliveryWindow } from '../../src/domain/delivery.js';
import type { Fault } from './daemon.js';
import { windowMs } from './template.js';

/** A fault with what the checker has to say about it, among other things. */
interface BrokenCourier extends Fault {
  finding: RegExp;
}

/** The faults, by what they do. */
export const brokenCouriers: Record<string, BrokenCourier> = {
  'makes the identifier anew when it sends again': {
    finding: /nobody owes/,
    billing(billing) {
      const attempts = new Map<string, number>();
      return {
        ...billing,
        sendMeterEvent(event) {
          const attempt = (attempts.get(event.identifier) ?? 0) + 1;
          attempts.set(event.identifier, attempt);
          const identifier = attempt === 1 ? event.identifier : `${event.identifier}_${attempt}`;
          return billing.sendMeterEvent({ ...event, identifier, idempotencyKey: identifier });
        },
      };
    },
  },
  'settles before it sends': {
    finding: /is delivered, and Stripe has: nothing/,
    store: (store) => ({
      ...store,
      async claimDeliveries(claim) {
        const claimed = await store.claimDeliveries(claim);
        const settlements = claimed.map((delivery) => ({
          ...delivery,
          outcome: { kind: 'delivered' as const },
        }));
        await store.settleDeliveries(settlements, claim.nowMs);
        return claimed;
      },
    }),
  },
  'forgets the edge of the period': {
    finding: /in another period/,
    usage: (usage) => ({
      ...usage,
      window: deliveryWindow(usage.atMs, windowMs, undefined),
      periodStartMs: 0,
    }),
  },
  'takes a duplicate for a refusal, and a lost answer for none': {
    finding: /is refused, and Stripe has: \w+ accepted/,
    billing: (billing) => ({
      ...billing,
      async sendMeterEvent(event) {
        const answer = await billing.sendMeterEvent(event);
        if (answer.kind === 'duplicate') return { kind: 'refused', reason: 'already exists' };
        return answer.kind === 'retry' ? { ...answer, processed: 'no' } : answer;
      },
    }),
  },
  'sends again blindly after a day': {
    finding: /accepted, \w+ accepted/,
    store: (store) => ({
      ...store,
      async claimDeliveries(claim) {
        const claimed = await store.claimDeliveries(claim);
        return claimed.map((delivery) => ({ ...delivery, unknownSinceMs: claim.nowMs }));
      },
    }),
  },
  'takes a lost answer for an event that never arrived': {
    finding: /accepted, \w+ accepted/,
    billing: (billing) => ({
      ...billing,
      async sendMeterEvent(event) {
        const answer = await billing.sendMeterEvent(event);
        return answer.kind === 'retry' ? { ...answer, processed: 'no' } : answer;
      },
    }),
  },
  'answers before the ledger has it': {
    finding: /was answered, but is not in the ledger/,
    ledger: (ledger) => ({
      ...ledger,
      async record(usage) {
        void Promise.resolve(ledger.record(usage)).catch(() => undefined);
        return { id: 0, recorded: 'new', units: usage.units, periodUnits: usage.units };
      },
    }),
  },
  'gives up when Stripe is busy': {
    finding: /is delivered, and Stripe has: nothing/,
    billing: (billing) => ({
      ...billing,
      async sendMeterEvent(event) {
        const answer = await billing.sendMeterEvent(event);
        return answer.kind === 'retry' ? { kind: 'accepted' } : answer;
      },
    }),
  },
};
