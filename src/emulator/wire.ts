/** The shape in which Stripe's objects travel and are stored: decimals as text, related objects as ids. */

import type Stripe from 'stripe';

/**
 * An SDK type as it stands on the wire with nothing expanded. A `Stripe.Decimal` is its plain text, and a field that may
 * be an id or the object it names is the id. Expansion happens when an answer is rendered, never in storage.
 */
export type Wire<T> = T extends Stripe.Decimal
  ? string
  : T extends (infer Item)[]
    ? WireField<Item>[]
    : T extends object
      ? { [Key in keyof T]: WireField<T[Key]> }
      : T;

/** A field: where an id is possible, the id alone. A field of which nothing is declared stays as it is. */
type WireField<T> = string extends T
  ? Record<never, never> extends T
    ? T
    : Extract<T, string | null | undefined>
  : Wire<T>;
