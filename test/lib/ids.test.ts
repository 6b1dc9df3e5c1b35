import { expect, it } from 'vitest';
import { createHost } from '../../src/host.js';
import { createFakeHost } from '../support/host.js';

it.each([
  ['real', createHost(createFakeHost().log)],
  ['fake', createFakeHost()],
])('ids of the %s machine sort by when they were made', (_name, { ids, clock }) => {
  const beforeMs = clock.nowMs();
  const made = [ids.next('dlv'), ids.next('dlv')];
  const afterMs = clock.nowMs() + 1;
  const bounds = [ids.bound('dlv', beforeMs), ids.bound('dlv', afterMs)];
  const [first = '', last = ''] = bounds;
  expect(made.every((id) => first <= id && id < last)).toBe(true);
  expect(made[0]! < made[1]!).toBe(true);
});
