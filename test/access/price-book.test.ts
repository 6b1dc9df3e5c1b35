import { expect, it } from 'vitest';
import { createPriceBook } from '../../src/access/price-book.js';
import type { Price } from '../../src/domain/catalog.js';
import { perUnitTerms } from '../../src/lib/pricing.js';
import { createFakeHost } from '../support/host.js';
import { openTestStore } from '../support/store.js';

const price: Price = {
  ...{ id: 'price_2', lookupKey: null, productId: 'prod_1', meterId: null, active: true },
  ...{ currency: 'usd', interval: 'month', intervalCount: 1, unitAmountMinor: '7', tiersMode: null },
  terms: perUnitTerms('7'),
};

async function openBook(findPriceById: (id: string) => Promise<Price | undefined>) {
  const { clock, log, advance } = createFakeHost();
  const store = await openTestStore(createFakeHost());
  const catalog = { priceId: 'price_1', terms: perUnitTerms('5') };
  return { book: createPriceBook({ store, billing: { findPriceById }, clock, log, catalog }), advance };
}

it('has a call wait for a price that came up, and asks Stripe once for all who wait', async () => {
  const asked: string[] = [];
  const { book } = await openBook(async (id) => {
    asked.push(id);
    return price;
  });
  await Promise.all([book.ready('price_2'), book.ready('price_2')]);
  expect(book.termsOf('price_2')).toEqual(price.terms);
  expect(asked).toEqual(['price_2']);
});

it('guesses where Stripe is down, has no second call wait, and asks again', async () => {
  let isDown = true;
  const { book } = await openBook(async () => {
    if (isDown) throw new Error('Stripe is down');
    return price;
  });
  await book.ready('price_2');
  await book.ready('price_2');
  expect(book.termsOf('price_2')).toEqual(perUnitTerms('5'));
  isDown = false;
  await book.tick();
  expect(book.termsOf('price_2')).toEqual(price.terms);
});

it('waits no longer than a call may where Stripe says nothing', async () => {
  let tell: (found: Price) => void = () => undefined;
  const { book, advance } = await openBook(() => new Promise((resolve) => (tell = resolve)));
  const ready = book.ready('price_2');
  await expect.poll(() => advance(1_000).then(() => Promise.race([ready, 'late']))).toBeUndefined();
  expect(book.termsOf('price_2')).toEqual(perUnitTerms('5'));
  tell(price);
  await expect.poll(() => book.termsOf('price_2')).toEqual(price.terms);
});
