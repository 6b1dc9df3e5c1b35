/** What `init` tells and what it leaves behind: the summary, the steps, meterctl.json and .env. */

import type { BootstrapStep } from '../bootstrap/plan.js';
import { writeConfigFile } from '../config/config-file.js';
import { addToDotenvList, dotenvFileName, ignoreInGit } from '../config/dotenv-file.js';
import { stateFolderName } from '../config/resolve-settings.js';
import type { CatalogIds, CatalogSettings, Settings } from '../config/settings.js';
import { folderOf, type Sources } from '../config/sources.js';
import type { Mode } from '../domain/mode.js';
import { createPaint } from '../terminal/paint.js';
import { pairsText } from '../terminal/table.js';
import type { Screen } from '../terminal/terminal.js';
import type { Context } from './context.js';

/** What is written into meterctl.json. */
export interface Outcome {
  mode: Mode;
  catalog: CatalogSettings;
  ids: CatalogIds;
  webhookIds: string[];
}

const modeTexts: Record<Mode, string> = {
  emulator: 'emulator: the embedded Stripe, nothing leaves this machine',
  test: 'test: a Stripe sandbox, no real money',
  live: 'LIVE: real money',
};

const partNames: Record<BootstrapStep['part'], string> = {
  meter: 'meter',
  product: 'product',
  price: 'price',
  webhook: 'webhook endpoint',
  thin_webhook: 'destination for meter errors',
  portal: 'customer portal',
};

const actionNames: Record<BootstrapStep['action'], string> = {
  create: 'created',
  reactivate: 'reactivated',
  keep: 'found',
  skip: 'left out',
};

/** What was answered, before anything is done. */
export function summaryText(
  screen: Screen,
  job: { settings: Settings; catalog: CatalogSettings; webhookUrl: string | null },
): string {
  const { catalog, settings } = job;
  const paint = createPaint(screen);
  return pairsText(screen, [
    ['mode', { text: modeTexts[settings.mode], paint: settings.mode === 'live' ? paint.bad : paint.strong }],
    ['product', catalog.productName],
    [
      'price',
      `${catalog.price} ${catalog.currency.toUpperCase()} a ${catalog.unit}, an invoice every ${catalog.interval}`,
    ],
    ['meter', catalog.eventName],
    ['webhooks', job.webhookUrl ?? undefined],
  ]);
}

/** What will be done. */
export function planText(screen: Screen, steps: readonly BootstrapStep[]): string {
  const paint = createPaint(screen);
  const lines = steps.map(({ part, action, id }) => {
    const name = partNames[part];
    if (action === 'keep') return `  ${paint.faint('=')} ${name} ${paint.faint(`${id} is there`)}`;
    if (action === 'skip')
      return `  ${paint.warning('-')} ${name} ${paint.faint('cannot be configured with this key')}`;
    return `  ${paint.good('+')} ${name} ${action === 'create' ? 'will be created' : `${id} will be reactivated`}`;
  });
  return `${lines.join('\n')}\n`;
}

/** One step as it was done. */
export function stepText(screen: Screen, { part, action, id }: BootstrapStep): string {
  const paint = createPaint(screen);
  const done = paint.good('✓');
  const marks = { create: done, reactivate: done, keep: paint.faint('='), skip: paint.warning('-') };
  return `  ${marks[action]} ${actionNames[action]} ${partNames[part]} ${paint.faint(id ?? '(it cannot be configured with this key)')}`;
}

/** Puts a signing secret into .env, which git is told to ignore first. */
export function keepSecret(context: Context, secret: string): void {
  ignoreInGit(context.folder, [dotenvFileName]);
  addToDotenvList(context.folder, 'STRIPE_WEBHOOK_SECRET', [secret]);
  context.note(
    `  ${createPaint(context.terminal.stderr).good('✓')} kept a signing secret in ${dotenvFileName}`,
  );
}

/** Writes meterctl.json; what else stands in it stays. The state folder is no matter for version control. */
export function writeOutcome(sources: Sources, { mode, catalog, ids, webhookIds }: Outcome): void {
  ignoreInGit(folderOf(sources), [`${stateFolderName}/`]);
  writeConfigFile(sources.configPath, {
    ...sources.file,
    mode,
    product: { name: catalog.productName, unit: catalog.unit },
    price: { amount: catalog.price, currency: catalog.currency, interval: catalog.interval },
    meter: { eventName: catalog.eventName },
    stripe: { ...ids, webhooks: webhookIds },
  });
}
