/** `meterctl init`: sets up what is sold, asks well, and converges: a second run creates nothing. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { openBilling, openStore } from '../../app.js';
import type { BootstrapStep } from '../../bootstrap/plan.js';
import { lookupKeyOf } from '../../bootstrap/plan.js';
import { type BootstrapDeps, type Bootstrapped, dryRunBootstrap, runBootstrap } from '../../bootstrap/run.js';
import type { CatalogSettings, Settings } from '../../config/settings.js';
import type { Sources } from '../../config/sources.js';
import { MeterctlError } from '../../domain/error.js';
import { minorFromMajor } from '../../domain/money.js';
import { createClosers } from '../../lib/closers.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { askWebhookUrl, checkUnchanged, gatherAnswers, type InitFlags } from '../init-answers.js';
import { keepSecret, type Outcome, planText, stepText, summaryText, writeOutcome } from '../init-outcome.js';
import type { Prompt } from '../prompt.js';

interface Options extends InitFlags {
  dryRun?: true;
}

/** Declares the command. Values are checked as a whole, with the same rules as meterctl.json. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--product <name>', 'what is sold, as invoices show it')
    .option('--unit <name>', 'what one unit is called')
    .option('--price <amount>', 'price of one unit in major units, such as 0.05; up to 12 decimals of a cent')
    .option('--currency <code>', 'three letters (default: usd)')
    .option('--interval <interval>', 'an invoice every day, week, month or year (default: month)')
    .option('--event-name <name>', "the meter's name at Stripe (default: made of product and unit)")
    .option('--webhook-url <url>', 'where Stripe sends its messages: your server and /webhook')
    .option('--dry-run', 'show what would be created, and create nothing')
    .action(run(init));
  addExamples(command, [
    ['meterctl init', 'asks what it needs to know'],
    ['meterctl init --product "Weather API" --unit call --price 0.05', 'asks nothing'],
    [
      'meterctl init --product "Maps" --unit tile --price 0.0002 --currency eur --webhook-url https://maps.example.com/webhook',
      'with webhooks; the signing secrets go into .env',
    ],
    ['meterctl init --yes --dry-run', 'what the defaults would make'],
  ]);
}

/** What this run is about, decided before Stripe is asked. */
interface Job {
  context: Context;
  sources: Sources;
  settings: Settings;
  catalog: CatalogSettings;
  webhookUrl: string | null;
}

async function init(context: Context, options: Options): Promise<undefined> {
  const sources = context.sources();
  const settings = context.settings();
  const prompt = context.mayAsk ? await context.prompt() : undefined;
  const { file } = sources;
  const catalog = await gatherAnswers({ flags: options, file, prompt, yes: context.flags.yes === true });
  checkUnchanged(catalog, file);
  const webhookUrl = await askWebhookUrl({ said: options.webhookUrl, settings, file, prompt });
  const { stdout } = context.terminal;
  const job: Job = { context, sources, settings, catalog, webhookUrl };
  if (options.dryRun) {
    const steps = await plan(job);
    context.show({
      json: () => ({ mode: settings.mode, plan: steps }),
      text: () => `${summaryText(stdout, job)}\n${planText(stdout, steps)}`,
    });
    return;
  }
  if (prompt) await confirmPlan(job, prompt);
  const outcome = await bootstrap(job);
  const { meter, product, price, created } = outcome.bootstrapped;
  context.show({
    json: () => ({
      mode: settings.mode,
      meter: { id: meter.id, event_name: meter.eventName },
      product: { id: product.id },
      price: { id: price.id, lookup_key: price.lookupKey ?? lookupKeyOf(catalog.eventName) },
      webhook: outcome.webhookIds[0] === undefined ? null : { id: outcome.webhookIds[0] },
      created,
    }),
    text: () => doneText(context, job),
  });
}

/** Shows what will be created and asks, unless everything is there already. */
async function confirmPlan(job: Job, prompt: Prompt): Promise<void> {
  const steps = await plan(job);
  if (steps.every(({ action }) => action === 'keep')) return;
  const { stderr } = job.context.terminal;
  job.context.note(`\n${summaryText(stderr, job)}\n${planText(stderr, steps)}`);
  if (!(await prompt.confirm('Go ahead?', true)))
    throw new MeterctlError('interrupted', 'Nothing was created.');
}

/** What would be done. State that is not there yet is imagined in a folder that goes away. */
async function plan(job: Job): Promise<BootstrapStep[]> {
  const folder = mkdtempSync(join(tmpdir(), 'meterctl-plan-'));
  const { databasePath, emulatorDatabasePath } = job.settings;
  const settings = {
    ...job.settings,
    databasePath: existsSync(databasePath) ? databasePath : join(folder, 'meterctl.db'),
    emulatorDatabasePath: existsSync(emulatorDatabasePath)
      ? emulatorDatabasePath
      : join(folder, 'emulator.db'),
  };
  try {
    return await withStripe({ ...job, settings }, (deps) => dryRunBootstrap(deps, wantedOf(job)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bootstrap(job: Job): Promise<Outcome & { bootstrapped: Bootstrapped }> {
  const bootstrapped = await withStripe(job, (deps) => runBootstrap(deps, wantedOf(job)));
  const known = job.sources.file?.stripe?.webhooks ?? [];
  const webhookIds = [...new Set([...bootstrapped.webhooks.map(({ id }) => id), ...known])];
  const { meter, product, price } = bootstrapped;
  const ids = { meter: meter.id, product: product.id, price: price.id };
  const outcome = { mode: job.settings.mode, catalog: job.catalog, ids, webhookIds };
  writeOutcome(job.sources, outcome);
  return { ...outcome, bootstrapped };
}

/** Opens the database and Stripe for as long as `work` takes. */
async function withStripe<T>(job: Job, work: (deps: BootstrapDeps) => Promise<T>): Promise<T> {
  const { context, settings } = job;
  const closers = createClosers();
  try {
    const host = await context.machine();
    const store = closers.add(await openStore(settings, host));
    const billing = closers.add(await openBilling(settings, host));
    return await work({
      ...{ store, billing, host },
      hasSecretOf: secretsAtHand(job),
      onStep: (step) => context.note(stepText(context.terminal.stderr, step)),
      onSecret: async (_, secret) => keepSecret(context, secret),
    });
  } finally {
    await closers.close();
  }
}

/**
 * Secrets do not say whose they are. Each endpoint in meterctl.json has one; what there is beyond those was put there by
 * a run that was interrupted before it could write the endpoint down, or by hand, for an endpoint that is found now.
 */
function secretsAtHand({ sources, settings }: Job): (endpointId: string) => boolean {
  const known = sources.file?.stripe?.webhooks ?? [];
  let spare = settings.stripe.webhookSecrets.length - known.length;
  return (endpointId) => {
    if (known.includes(endpointId)) return settings.stripe.webhookSecrets.length > 0;
    spare -= 1;
    return spare >= 0;
  };
}

function wantedOf({ catalog, webhookUrl }: Job) {
  const { productName, unit, price, currency, interval, eventName } = catalog;
  const unitAmountMinor = minorFromMajor(price, currency);
  return { productName, unit, unitAmountMinor, currency, interval, eventName, webhookUrl };
}

function doneText({ paint }: Context, { sources, settings, webhookUrl }: Job): string {
  const listens =
    settings.mode === 'emulator' || webhookUrl !== null || sources.file?.stripe?.webhooks.length
      ? []
      : [
          `  ${paint.link('meterctl init --webhook-url https://…/webhook')}  so that Stripe can tell what happens`,
        ];
  return [
    `${paint.good('Ready')} in ${settings.mode} mode; ${sources.configPath} is written.`,
    '',
    'Next:',
    `  ${paint.link('meterctl serve')}  run the paid API`,
    ...listens,
    `  ${paint.link('meterctl customers create --email you@example.com --subscribe')}  the first customer`,
  ].join('\n');
}
