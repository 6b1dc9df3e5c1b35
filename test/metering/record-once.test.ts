import { describe, expect, it } from 'vitest';
import { recordUsageOnce } from '../../src/metering/record-once.js';
import { createFakeHost } from '../support/host.js';
import { testPeriod } from '../support/records.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const day = 86_400_000;

async function setUp() {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const { customer } = await addSubscriber(store, host);
  const settings = { meter: 'calls', windowMs: 2_000 };
  return {
    host,
    record: (units: number, idempotencyKey: string) => {
      const atMs = testPeriod.startMs + day;
      const reported = { customerId: customer.id, units, correct: units < 0, atMs, idempotencyKey };
      return recordUsageOnce({ store, host, settings }, reported);
    },
  };
}

describe('recording usage under a key', () => {
  it.each([
    ['usage that is too old by now', 5, 'invalid'],
    ['a correction of what is final by now', -5, 'conflict'],
  ])(
    'says again that it has it, also of %s: whoever bills or credits that by hand would do it twice',
    async (_, units, code) => {
      const { host, record } = await setUp();
      const first = await record(units, 'job-1');
      host.jump(testPeriod.endMs + 60 * day);
      expect(await record(units, 'job-1')).toMatchObject({ id: first.id, units, recorded: 'repeat' });
      await expect(record(units, 'job-2')).rejects.toMatchObject({ code });
    },
  );
});
