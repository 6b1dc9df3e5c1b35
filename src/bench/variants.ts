/** What is compared: each variant is a server that answers paid calls, or what people have instead of one. */

/** A program that listens, in a process of its own. */
export type ServerName =
  | 'bare-express'
  | 'raw-http'
  | 'metered'
  | 'unrecorded'
  | 'embedded-stripe'
  | 'stripe-inside'
  | 'stub-stripe'
  | 'proxy-middleware';

/** A server that is put under load. */
export interface Variant {
  name: VariantName;
  title: string;
  /** What is safe before the answer goes out. */
  durability: string;
  server: ServerName;
  /** The server that it calls. */
  behind?: { server: ServerName; value?: string };
  /** Whether its answers say that they were metered. */
  isMetered: boolean;
  /** The optional package that it needs. */
  needs?: string;
}

/** The variants' names. */
export type VariantName =
  | 'bare-express'
  | 'raw-http'
  | 'metered'
  | 'unrecorded'
  | 'stripe-at-once'
  | 'stripe-150-ms'
  | 'proxy-middleware'
  | 'gateway';

/** Usage is in a commit that SQLite has synced (synchronous=FULL). */
const synced = 'fsync';

/** Stripe has answered. */
const atStripe = 'at Stripe';

/** In the order in which they are measured, so that what is compared lies close together. */
export const variants: readonly Variant[] = [
  {
    ...{ name: 'raw-http', title: 'node:http', durability: 'none', isMetered: false },
    server: 'raw-http',
  },
  {
    ...{ name: 'bare-express', title: 'bare Express', durability: 'none', isMetered: false },
    server: 'bare-express',
  },
  {
    ...{ name: 'metered', title: 'meterctl', durability: synced, isMetered: true },
    server: 'metered',
  },
  {
    ...{ name: 'unrecorded', title: 'meterctl without ledger', durability: 'none', isMetered: true },
    server: 'unrecorded',
  },
  {
    ...{ name: 'stripe-at-once', title: 'Stripe inside, 0 ms', isMetered: false },
    durability: atStripe,
    server: 'stripe-inside',
    behind: { server: 'stub-stripe', value: '0' },
  },
  {
    ...{ name: 'stripe-150-ms', title: 'Stripe inside, 150 ms', isMetered: false },
    durability: atStripe,
    server: 'stripe-inside',
    behind: { server: 'stub-stripe', value: '150' },
  },
  {
    ...{ name: 'gateway', title: 'meterctl as proxy', durability: synced, isMetered: true },
    server: 'metered',
    behind: { server: 'raw-http' },
  },
  {
    ...{ name: 'proxy-middleware', title: 'http-proxy-middleware', durability: 'none' },
    isMetered: false,
    server: 'proxy-middleware',
    behind: { server: 'raw-http' },
    needs: 'http-proxy-middleware',
  },
];
