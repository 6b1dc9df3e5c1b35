import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

async function withCustomer() {
  const line = createCommandLine(createTestFolder());
  await line.json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  const create = 'customers create --email ada@example.com --subscribe';
  const { id: customer } = await line.json<{ id: string }>(create);
  return { ...line, customer, record: `usage record --customer ${customer}` };
}

interface Usage {
  data: { units: number; requests: number }[];
  total: { units: number; delivered: number; pending: number };
}

interface Invoice {
  lines: { quantity: number }[];
  amount_due: string;
}

describe('usage void', () => {
  it('takes back what was not sent, once', async () => {
    const { json, run, record } = await withCustomer();
    const { id } = await json<{ id: number }>(`${record} --units 250`);
    const words = ['usage', 'void', String(id), '--reason', 'recorded twice'];
    const voided = await json<{ id: number }>(words);
    expect(voided).toEqual({
      id: expect.any(Number),
      units: -250,
      voids: id,
      recorded: 'new',
      how: 'shrunk',
    });
    expect(await json(words)).toEqual({ ...voided, recorded: 'repeat' });
    expect((await run(words)).out).toContain('Nothing to do: usage');
    expect((await run(words)).out).toContain('("recorded twice")');
    expect((await json<Usage>('usage')).total).toMatchObject({ units: 0, pending: 0 });
  });

  it('takes back what Stripe has, so that the invoice does not charge it', async () => {
    const { json, customer, record } = await withCustomer();
    const { id } = await json<{ id: number }>(`${record} --units 250`);
    await json('outbox retry');
    expect((await json<Invoice>(`invoice ${customer}`)).amount_due).toBe('12.50');
    expect(await json(['usage', 'void', String(id), '--reason', 'a mistake'])).toMatchObject({
      how: 'cancelled',
    });
    await json('outbox retry');
    expect((await json<Invoice>(`invoice ${customer}`)).amount_due).toBe('0.00');
    expect((await json<Usage>('usage')).total).toMatchObject({ units: 0, delivered: 0, pending: 0 });
  });

  it.each([
    [['usage', 'void', '4711', '--reason', 'x'], 4],
    [['usage', 'void', '1'], 2],
    [['usage', 'void', 'abc', '--reason', 'x'], 2],
    [['usage', 'void', '-1', '--reason', 'x'], 2],
  ])('%j ends with %d', async (words, code) => {
    const { run } = await withCustomer();
    expect((await run(words)).code).toBe(code);
  });

  it('does not take a taking back back', async () => {
    const { json, run, record } = await withCustomer();
    const { id } = await json<{ id: number }>(`${record} --units 2`);
    const voided = await json<{ id: number }>(['usage', 'void', String(id), '--reason', 'x']);
    expect((await run(['usage', 'void', String(voided.id), '--reason', 'x'])).code).toBe(6);
  });
});

describe('usage record --correct', () => {
  it('takes units off, once under an idempotency key, and says when nothing is left to bill', async () => {
    const { json, run, record } = await withCustomer();
    await json(`${record} --units 10`);
    const correction = `${record} --correct --units -4 --idempotency-key fix-1`;
    const first = await json<{ id: number }>(correction);
    expect(first).toMatchObject({ units: -4, recorded: 'new' });
    expect(await json(correction)).toEqual({ ...first, recorded: 'repeat' });
    expect(await json<Usage>('usage')).toMatchObject({
      data: [{ units: 6, requests: 1 }],
      total: { units: 6 },
    });
    expect((await run(`${record} --correct --units -7`)).err).toContain(
      'Stripe bills nothing for a period below zero',
    );
  });

  it.each(['--units -4', '--units 4 --correct', '--units 0', '--units 0 --correct'])(
    'refuses %s',
    async (flags) => {
      const { run, record } = await withCustomer();
      const { code, err } = await run(`${record} ${flags}`);
      expect(code).toBe(2);
      expect(err).toMatch(/zero|whole number from 1/);
    },
  );
});
