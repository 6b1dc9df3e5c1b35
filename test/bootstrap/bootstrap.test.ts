import { describe, expect, it } from 'vitest';
import type { BootstrapStep, WantedCatalog } from '../../src/bootstrap/plan.js';
import { dryRunBootstrap, runBootstrap } from '../../src/bootstrap/run.js';
import { verifyAccount } from '../../src/bootstrap/verify-account.js';
import type { Billing } from '../../src/domain/billing.js';
import { MeterctlError } from '../../src/domain/error.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';
import { openTestStore } from '../support/store.js';

const wanted: WantedCatalog = {
  productName: 'Fire API',
  unit: 'call',
  unitAmountMinor: '5',
  currency: 'usd',
  interval: 'month',
  eventName: 'fire_calls',
  webhookUrl: 'http://127.0.0.1:9/webhook',
};

async function setUp() {
  const host = createFakeHost();
  const emulator = await openTestEmulator(host);
  const billing = createTestBilling(emulator, host);
  const store = await openTestStore(host);
  const secrets = new Map<string, string>();
  const steps: BootstrapStep[] = [];
  const deps = {
    host,
    store,
    billing: billing as Billing,
    hasSecretOf: (id: string) => secrets.has(id),
    onStep: (step: BootstrapStep) => void steps.push(step),
    async onSecret({ id }: { id: string }, secret: string) {
      secrets.set(id, secret);
    },
  };
  const count = async () => ({
    meters: emulator.account.objects.all('meter').length,
    products: emulator.account.objects.all('product').length,
    prices: emulator.account.objects.all('price').length,
    webhooks: (['webhook_endpoint', 'event_destination'] as const).flatMap((kind) =>
      emulator.account.objects.all(kind),
    ).length,
  });
  return { deps, emulator, billing, store, secrets, steps, count, host };
}

const one = { meters: 1, products: 1, prices: 1, webhooks: 2 };

describe('a bootstrap', () => {
  it('creates everything once, and keeps both signing secrets', async () => {
    const { deps, count, secrets, steps } = await setUp();
    const first = await runBootstrap(deps, wanted);
    expect(first.created).toEqual(['meter', 'product', 'price', 'webhook', 'thin_webhook', 'portal']);
    expect([...secrets.values()].every((secret) => secret.startsWith('whsec_'))).toBe(true);
    const second = await runBootstrap(deps, wanted);
    expect(second.created).toEqual([]);
    expect(second.price.id).toBe(first.price.id);
    expect(await count()).toEqual(one);
    expect(secrets.size).toBe(2);
    expect(steps.map(({ action }) => action)).toEqual([...Array(6).fill('create'), ...Array(6).fill('keep')]);
  });

  it('only plans when it is a dry run', async () => {
    const { deps, count } = await setUp();
    const steps = await dryRunBootstrap(deps, wanted);
    expect(steps.every(({ action }) => action === 'create')).toBe(true);
    expect(await count()).toEqual({ meters: 0, products: 0, prices: 0, webhooks: 0 });
  });

  const creates = [
    'addMeter',
    'addProduct',
    'addPrice',
    'addWebhookEndpoint',
    'addPortalConfiguration',
  ] as const;
  const moments = creates.flatMap((create) => [[create, 'before'] as const, [create, 'after'] as const]);

  it.each(moments)(
    'interrupted at %s (%s Stripe did it) and run again, it creates nothing twice',
    async (create, moment) => {
      const { deps, billing, count, secrets } = await setUp();
      let interruptions = 0;
      const interrupted = async (...args: never[]) => {
        interruptions += 1;
        if (moment === 'after') await (billing[create] as (...all: never[]) => Promise<unknown>)(...args);
        throw new MeterctlError('unavailable', 'The answer was lost.');
      };
      await expect(
        runBootstrap({ ...deps, billing: { ...billing, [create]: interrupted } }, wanted),
      ).rejects.toThrow('lost');
      expect(interruptions).toBe(1);
      await runBootstrap(deps, wanted);
      expect(await count()).toEqual(one);
      expect(secrets.size).toBe(2);
    },
  );

  it.each<[string, Partial<WantedCatalog>, RegExp]>([
    ['another amount', { unitAmountMinor: '6' }, /costs 0.05 a unit, not 0.06 a unit/],
    ['another currency', { currency: 'eur' }, /is in usd, not eur/],
    ['another interval', { interval: 'week' }, /billed every month, not week/],
    ['another product name', { productName: 'Ice API' }, /is named Fire API, not Ice API/],
    ['another unit', { unit: 'token' }, /counted in call, not token/],
  ])('explains %s as a conflict and changes nothing', async (_, over, message) => {
    const { deps, count } = await setUp();
    await runBootstrap(deps, wanted);
    const run = runBootstrap(deps, { ...wanted, ...over });
    await expect(run).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(message) });
    expect(await count()).toEqual(one);
  });

  it('takes the same amount for the same, however it is written', async () => {
    const { deps } = await setUp();
    await runBootstrap(deps, wanted);
    expect((await runBootstrap(deps, { ...wanted, unitAmountMinor: '5.00' })).created).toEqual([]);
  });

  it('wakes a sleeping meter', async () => {
    const { deps, billing, emulator, steps } = await setUp();
    const { meter } = await runBootstrap(deps, wanted);
    emulator.account.objects.put('meter', {
      ...emulator.account.objects.get('meter', meter.id)!,
      status: 'inactive',
    });
    steps.length = 0;
    expect((await runBootstrap(deps, wanted)).meter.active).toBe(true);
    expect(steps[0]).toMatchObject({ part: 'meter', action: 'reactivate' });
    expect(await billing.findMeterById(meter.id)).toMatchObject({ active: true });
  });

  it('does without a thin destination where the server has none, but not where the key may not make one', async () => {
    const { deps, billing, steps } = await setUp();
    const refusing = (code: 'not_found' | 'unauthorized') => ({
      ...billing,
      async listWebhookEndpoints(...[url, kind]: Parameters<Billing['listWebhookEndpoints']>) {
        if (kind === 'thin') throw new MeterctlError(code, 'Stripe says no.');
        return billing.listWebhookEndpoints(url, kind);
      },
    });
    const run = (code: 'not_found' | 'unauthorized') =>
      runBootstrap({ ...deps, billing: refusing(code) }, wanted);
    await expect(run('unauthorized')).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await run('not_found')).webhooks).toMatchObject([{ kind: 'snapshot' }]);
    expect(steps).toContainEqual({ part: 'thin_webhook', action: 'skip', id: null });
  });

  it('does without a portal configuration where the key may not make one', async () => {
    const { deps, billing } = await setUp();
    const refuse = () =>
      Promise.reject(new MeterctlError('unauthorized', 'The Stripe key lacks rak_customer_portal_write.'));
    const without = { ...deps, billing: { ...billing, addPortalConfiguration: refuse } };
    expect(await runBootstrap(without, wanted)).toMatchObject({ portalConfiguration: null });
    expect((await runBootstrap(deps, wanted)).created).toEqual(['portal']);
  });

  it('explains an endpoint whose secret is lost', async () => {
    const { deps, secrets } = await setUp();
    await runBootstrap(deps, wanted);
    secrets.clear();
    await expect(runBootstrap(deps, wanted)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringMatching(/STRIPE_WEBHOOK_SECRET/),
    });
  });

  it('refuses the key of another account before it creates anything', async () => {
    const { deps, store, host } = await setUp();
    const { meter } = await runBootstrap(deps, wanted);
    const other = await openTestEmulator(host);
    const billing = createTestBilling(other, host);
    await expect(runBootstrap({ ...deps, billing }, wanted)).rejects.toMatchObject({ code: 'conflict' });
    await expect(verifyAccount({ store, billing }, meter.id)).rejects.toMatchObject({ code: 'conflict' });
    expect(other.account.objects.all('meter')).toEqual([]);
  });
});
