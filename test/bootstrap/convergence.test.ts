/** A bootstrap that is interrupted at any await, raced, or misled by a list that lags: Stripe ends up with one of everything. */

import { describe, expect, it } from 'vitest';
import type { WantedCatalog } from '../../src/bootstrap/plan.js';
import { type BootstrapDeps, dryRunBootstrap, runBootstrap } from '../../src/bootstrap/run.js';
import type { Billing } from '../../src/domain/billing.js';
import type { Store } from '../../src/domain/store.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';
import { openTestStore } from '../support/store.js';

const url = 'http://127.0.0.1:9/webhook';
const wanted: WantedCatalog = {
  productName: 'Fire API',
  unit: 'call',
  unitAmountMinor: '5',
  currency: 'usd',
  interval: 'month',
  eventName: 'fire_calls',
  webhookUrl: url,
};

async function setUp() {
  const host = createFakeHost();
  const emulator = await openTestEmulator(host);
  const billing: Billing = createTestBilling(emulator, host);
  const store: Store = await openTestStore(host);
  const secrets = new Map<string, string>();
  const deps: BootstrapDeps = {
    ...{ host, store, billing },
    hasSecretOf: (id) => secrets.has(id),
    onStep: () => undefined,
    onSecret: async ({ id }, secret) => void secrets.set(id, secret),
  };
  const { objects, faults } = emulator.account;
  const counts = () =>
    (['meter', 'product', 'price', 'webhook_endpoint', 'event_destination'] as const).map(
      (kind) => objects.all(kind).length,
    );
  return { deps, host, billing, store, secrets, counts, objects, faults };
}

/** Everything that a bootstrap waits for, each call of it counted; the one at `at` throws, before or after it is done. */
function interruptible(deps: BootstrapDeps, at: number, moment: 'before' | 'after') {
  const progress = { calls: 0, interrupted: '' };
  function wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get(from, name, receiver) {
        const method: unknown = Reflect.get(from, name, receiver);
        if (typeof method !== 'function' || name === 'hasSecretOf' || name === 'onStep') return method;
        return async (...args: unknown[]) => {
          progress.calls += 1;
          const hit = progress.calls === at;
          if (hit) progress.interrupted = String(name);
          if (hit && moment === 'before') throw new Error('killed');
          const result: unknown = await method.apply(from, args);
          if (hit) throw new Error('killed');
          return result;
        };
      },
    });
  }
  return { deps: { ...wrap(deps), billing: wrap(deps.billing), store: wrap(deps.store) }, progress };
}

describe('a bootstrap', () => {
  it.each(['before', 'after'] as const)(
    'may be killed %s any step of it, and then run again',
    async (moment) => {
      const interruptions: string[] = [];
      for (let at = 1; ; at += 1) {
        const { deps, counts, secrets } = await setUp();
        const run = interruptible(deps, at, moment);
        const killed = await runBootstrap(run.deps, wanted).then(
          () => false,
          (error: Error) => error.message === 'killed',
        );
        const { webhooks } = await runBootstrap(deps, wanted);
        expect(counts(), run.progress.interrupted).toEqual([1, 1, 1, 1, 1]);
        expect([...secrets.keys()].sort()).toEqual(webhooks.map(({ id }) => id).sort());
        expect((await runBootstrap(deps, wanted)).created).toEqual([]);
        if (!killed) break;
        interruptions.push(run.progress.interrupted);
      }
      expect(interruptions).toContain('addPortalConfiguration');
      expect(interruptions.length).toBeGreaterThan(15);
    },
  );

  it('may be killed while it keeps a signing secret: the same endpoint is told again', async () => {
    const { deps, counts, secrets } = await setUp();
    const lost: string[] = [];
    for (const _ of ['snapshot', 'thin']) {
      const onSecret = async ({ id }: { id: string }, secret: string) => {
        if (secrets.size < lost.length) return void secrets.set(id, secret);
        lost.push(secret);
        throw new Error('killed');
      };
      await expect(runBootstrap({ ...deps, onSecret }, wanted)).rejects.toThrow('killed');
    }
    await runBootstrap(deps, wanted);
    expect([...secrets.values()].sort()).toEqual(lost.sort());
    expect(counts()).toEqual([1, 1, 1, 1, 1]);
  });

  it('never registers a URL twice beside an endpoint of somebody else, however often it is run', async () => {
    const { deps, billing, counts } = await setUp();
    await billing.addWebhookEndpoint(url, 'snapshot', 'by-hand');
    for (const _ of [1, 2]) {
      await expect(runBootstrap(deps, wanted)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('signing secret is not here'),
      });
    }
    expect(counts(), 'refused before anything is created').toEqual([0, 0, 0, 1, 0]);
  });

  it('finds what it is refused to create, although the lists lag', async () => {
    const { deps, billing, host, counts } = await setUp();
    await runBootstrap(deps, wanted);
    let hidden = 4;
    const lagging = async <T>(find: () => Promise<T>) => {
      hidden -= 1;
      return hidden >= 0 ? undefined : find();
    };
    const run = runBootstrap(
      {
        ...deps,
        billing: {
          ...billing,
          findMeter: (name) => lagging(() => billing.findMeter(name)),
          findPrice: (key) => lagging(() => billing.findPrice(key)),
        },
      },
      wanted,
    );
    let done = false;
    void run.finally(() => {
      done = true;
    });
    while (!done) await host.advance(100);
    expect((await run).created).toEqual([]);
    expect(counts()).toEqual([1, 1, 1, 1, 1]);
  });

  it('creates nothing once more while no list shows what it made', async () => {
    const { deps, counts, faults, host, objects } = await setUp();
    faults.set({ listLagSec: 60 });
    const first = await runBootstrap(deps, wanted);
    const second = runBootstrap(deps, wanted);
    let done = false;
    void second.finally(() => {
      done = true;
    });
    while (!done) await host.advance(1_000);
    const { created, webhooks } = await second;
    expect(created).toEqual([]);
    expect(webhooks.map(({ id }) => id)).toEqual(first.webhooks.map(({ id }) => id));
    expect([...counts(), objects.all('portal_configuration').length]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it.each(['addMeter', 'addProduct', 'addPrice', 'addWebhookEndpoint', 'addPortalConfiguration'] as const)(
    'goes on after an answer to %s that says that Stripe has failed, and that Stripe keeps under its key',
    async (name) => {
      const { deps, counts, faults, billing } = await setUp();
      const failing = async (...args: never[]) => {
        faults.set({ serverError: 1 });
        try {
          return await (billing[name] as (...given: never[]) => Promise<unknown>)(...args);
        } finally {
          faults.reset();
        }
      };
      const run = runBootstrap({ ...deps, billing: { ...billing, [name]: failing } }, wanted);
      await expect(run).rejects.toMatchObject({ code: 'unavailable', answered: true });
      await runBootstrap(deps, wanted);
      expect(counts()).toEqual([1, 1, 1, 1, 1]);
    },
  );

  it('takes the meter that its price counts by, although the list does not show it', async () => {
    const { deps, billing } = await setUp();
    const first = await runBootstrap(deps, wanted);
    const blind = { ...billing, findMeter: async () => undefined };
    expect((await runBootstrap({ ...deps, billing: blind }, wanted)).meter.id).toBe(first.meter.id);
  });

  it('explains what somebody else made with other values in the meantime', async () => {
    const { deps, billing, counts } = await setUp();
    const raced = {
      ...billing,
      async addProduct(product: Parameters<Billing['addProduct']>[0], attempt: string) {
        await billing.addProduct({ ...product, name: 'Ice API' }, 'somebody-else');
        return billing.addProduct(product, attempt);
      },
    };
    await expect(runBootstrap({ ...deps, billing: raced }, wanted)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is named Ice API, not Fire API'),
    });
    expect(counts()).toEqual([1, 1, 0, 0, 0]);
  });

  it('writes nothing in a dry run, and nothing when all is there', async () => {
    const { deps, store } = await setUp();
    await dryRunBootstrap(deps, wanted);
    expect(await store.bindAccount('acct_another'), 'not bound by the dry run').toBe('acct_another');
  });
});
