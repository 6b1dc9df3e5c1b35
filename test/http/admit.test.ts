import { expect, it } from 'vitest';
import { MeterctlError } from '../../src/domain/error.js';
import { limitHeaders } from '../../src/http/admit.js';
import { openAdmission, openOn } from '../access/open-admission.js';

it('an answer that was paid for says nothing of limits while they cannot be read, and hides no defect', async () => {
  const { store, host, set, customer, key } = await openAdmission();
  await set({ quota: { units: 1, per: 'day' } });
  let trouble: Error | undefined = new MeterctlError('unavailable', 'The disk is gone.');
  const countUnits: typeof store.countUnits = async (...asked) => {
    if (trouble) throw trouble;
    return store.countUnits(...asked);
  };
  const admission = openOn({ host, store: { ...store, countUnits } });
  const ask = () => limitHeaders(admission, { caller: { customer, key }, priceId: 'price_1' });
  expect(await ask()).toEqual([]);
  trouble = new TypeError('x is not a function');
  await expect(ask()).rejects.toThrow(trouble);
  trouble = undefined;
  expect(await ask()).toContain('RateLimit');
});
