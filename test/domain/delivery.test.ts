import { describe, expect, it } from 'vitest';
import { idempotencyKeyOf, identifierOf, parseIdentifier } from '../../src/domain/delivery.js';

describe('identifiers', () => {
  it.each([
    [1, 1, 'dlv_a', 'dlv_a'],
    [1, 2, 'dlv_a', 'dlv_a:2'],
    [2, 1, 'dlv_a.2', 'dlv_a.2'],
    [12, 3, 'dlv_a.12', 'dlv_a.12:3'],
  ])(
    'number %i with key %i are %s and %s, and are read back',
    (identifierNumber, keyNumber, identifier, key) => {
      const delivery = { id: 'dlv_a', identifierNumber, keyNumber };
      expect(identifierOf(delivery)).toBe(identifier);
      expect(idempotencyKeyOf(delivery)).toBe(key);
      expect(parseIdentifier(identifier)).toEqual({ id: 'dlv_a', identifierNumber });
      expect(parseIdentifier(key)).toEqual({ id: 'dlv_a', identifierNumber });
    },
  );

  it.each([
    '',
    'evt_1',
    'dlv_',
    'dlv_a.',
    'dlv_a.0',
    'dlv_a:x',
    'dlv_a.2:3:4',
    'x dlv_a',
    'stripe-node-retry-1',
  ])('that were not made here are not read: %j', (text) => expect(parseIdentifier(text)).toBeUndefined());
});
