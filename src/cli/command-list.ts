/** Every command there is, in the order in which help shows them. */

import type { Declare } from './command.js';

/** A command that is loaded when it is used. */
export interface ListedCommand {
  /** As it is typed: `keys create`. */
  name: string;
  summary: string;
  load(): Promise<{ declare: Declare }>;
}

/** What a first word stands for that is no command by itself. */
export const commandGroups: Readonly<Record<string, string>> = {
  customers: 'who may use the API',
  keys: 'the keys that customers call with',
  audit: 'who changed what',
  limits: 'how fast and how much may be used',
  alerts: 'who is told when limits come near',
  outbox: 'what is owed to Stripe',
  webhooks: 'what Stripe says',
  emulator: 'the embedded Stripe on its own',
};

/** All of them. */
export const commandList: readonly ListedCommand[] = [
  {
    name: 'init',
    summary: 'set up what is sold: product, price and meter',
    load: () => import('./commands/init.js'),
  },
  {
    name: 'serve',
    summary: 'run the paid API and deliver usage to Stripe',
    load: () => import('./commands/serve.js'),
  },
  {
    name: 'demo',
    summary: 'see the whole loop in one go, without an account',
    load: () => import('./commands/demo.js'),
  },
  {
    name: 'customers create',
    summary: 'create a customer in Stripe and here',
    load: () => import('./commands/customers-create.js'),
  },
  {
    name: 'customers list',
    summary: 'list customers, newest first',
    load: () => import('./commands/customers-list.js'),
  },
  {
    name: 'customers show',
    summary: 'show one customer',
    load: () => import('./commands/customers-show.js'),
  },
  {
    name: 'customers import',
    summary: 'adopt a customer that Stripe has',
    load: () => import('./commands/customers-import.js'),
  },
  {
    name: 'customers sync',
    summary: 'bring customers up to what Stripe says now',
    load: () => import('./commands/customers-sync.js'),
  },
  {
    name: 'customers suspend',
    summary: 'take access away, within a second everywhere',
    load: () => import('./commands/customers-suspend.js'),
  },
  {
    name: 'customers resume',
    summary: 'give access back after a suspension',
    load: () => import('./commands/customers-resume.js'),
  },
  {
    name: 'customers cancel',
    summary: 'end the subscription with a final invoice for all usage',
    load: () => import('./commands/customers-cancel.js'),
  },
  {
    name: 'keys create',
    summary: 'make a key; its secret is shown this once',
    load: () => import('./commands/keys-create.js'),
  },
  { name: 'keys list', summary: 'list keys, newest first', load: () => import('./commands/keys-list.js') },
  { name: 'keys show', summary: 'show one key', load: () => import('./commands/keys-show.js') },
  {
    name: 'keys update',
    summary: 'change name, end, scopes, addresses or metadata of a key',
    load: () => import('./commands/keys-update.js'),
  },
  {
    name: 'keys rotate',
    summary: 'replace a key; the old one works on for a grace',
    load: () => import('./commands/keys-rotate.js'),
  },
  {
    name: 'keys revoke',
    summary: 'end a key, or all of a customer, within a second everywhere',
    load: () => import('./commands/keys-revoke.js'),
  },
  {
    name: 'keys verify',
    summary: 'tell whether a key works, read from stdin or a prompt',
    load: () => import('./commands/keys-verify.js'),
  },
  {
    name: 'limits set',
    summary: 'limit a customer, a key or a plan: rate, quota, money',
    load: () => import('./commands/limits-set.js'),
  },
  {
    name: 'limits show',
    summary: 'what a customer, a key or a plan is held to',
    load: () => import('./commands/limits-show.js'),
  },
  {
    name: 'alerts list',
    summary: 'which limits were nearly or wholly used up',
    load: () => import('./commands/alerts-list.js'),
  },
  {
    name: 'alerts test',
    summary: 'see whether alerts arrive where they should',
    load: () => import('./commands/alerts-test.js'),
  },
  { name: 'usage', summary: 'what was used, in units', load: () => import('./commands/usage.js') },
  {
    name: 'usage record',
    summary: 'record usage that no call made',
    load: () => import('./commands/usage-record.js'),
  },
  {
    name: 'usage void',
    summary: 'take recorded usage back',
    load: () => import('./commands/usage-void.js'),
  },
  {
    name: 'invoice',
    summary: 'the coming invoice of a customer, as Stripe computes it',
    load: () => import('./commands/invoice.js'),
  },
  {
    name: 'keys export',
    summary: 'write every key with its hash, for another database',
    load: () => import('./commands/keys-export.js'),
  },
  {
    name: 'keys import',
    summary: 'take keys over by their hashes, from here or elsewhere',
    load: () => import('./commands/keys-import.js'),
  },
  {
    name: 'keys scan',
    summary: 'find keys in files and in the history of Git',
    load: () => import('./commands/keys-scan.js'),
  },
  {
    name: 'audit list',
    summary: 'who changed what, newest first',
    load: () => import('./commands/audit-list.js'),
  },
  {
    name: 'outbox status',
    summary: 'count what Stripe has and what it does not have yet',
    load: () => import('./commands/outbox-status.js'),
  },
  {
    name: 'outbox list',
    summary: 'list deliveries, newest first',
    load: () => import('./commands/outbox-list.js'),
  },
  {
    name: 'outbox retry',
    summary: 'send again what was refused, or now what is pending',
    load: () => import('./commands/outbox-retry.js'),
  },
  {
    name: 'outbox settle',
    summary: 'say what became of uncertain deliveries that nothing else can settle',
    load: () => import('./commands/outbox-settle.js'),
  },
  {
    name: 'reconcile',
    summary: 'compare ledger and deliveries with what Stripe counts',
    load: () => import('./commands/reconcile.js'),
  },
  {
    name: 'webhooks list',
    summary: "list Stripe's messages, newest first",
    load: () => import('./commands/webhooks-list.js'),
  },
  {
    name: 'webhooks show',
    summary: 'show one message with its body',
    load: () => import('./commands/webhooks-show.js'),
  },
  {
    name: 'webhooks replay',
    summary: 'apply one message again, now',
    load: () => import('./commands/webhooks-replay.js'),
  },
  {
    name: 'webhooks sync',
    summary: 'ask Stripe for what did not arrive, and apply it',
    load: () => import('./commands/webhooks-sync.js'),
  },
  {
    name: 'emulator start',
    summary: 'run the embedded Stripe on a port of its own',
    load: () => import('./commands/emulator-start.js'),
  },
  {
    name: 'emulator advance',
    summary: "move the embedded Stripe's time forward",
    load: () => import('./commands/emulator-advance.js'),
  },
  {
    name: 'emulator fault',
    summary: 'make the embedded Stripe misbehave, to see how a setup stands it',
    load: () => import('./commands/emulator-fault.js'),
  },
  {
    name: 'emulator reset',
    summary: 'throw the embedded Stripe and its data away',
    load: () => import('./commands/emulator-reset.js'),
  },
  {
    name: 'bench',
    summary: 'measure this machine: paid calls against a bare Express handler',
    load: () => import('./commands/bench.js'),
  },
  {
    name: 'config',
    summary: 'every setting with its value and where it came from',
    load: () => import('./commands/config.js'),
  },
];
