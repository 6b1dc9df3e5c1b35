/** `meterctl emulator reset`: throws the embedded Stripe away, and everything that was counted with it. */

import { existsSync, rmSync } from 'node:fs';
import type { Command } from 'commander';
import { openStore } from '../../app.js';
import { readConfigFile, writeConfigFile } from '../../config/config-file.js';
import type { Settings } from '../../config/settings.js';
import { addExamples, type Runner } from '../command.js';
import { type Context, confirmed } from '../context.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .addHelpText(
      'after',
      '\nRemoves the databases of emulator mode and the ids in meterctl.json; what is sold stays written there.\nStop meterctl serve first, and run meterctl init after it.',
    )
    .action(run(reset));
  addExamples(command, [
    ['meterctl emulator reset', 'asks first, at a terminal'],
    ['meterctl emulator reset --yes && meterctl init --yes', 'start anew'],
  ]);
}

/** Keys and ledger belong to the account that goes away, so they go with it. */
async function reset(context: Context): Promise<undefined> {
  const settings = context.emulatorSettings();
  const { configPath, databasePath, emulatorDatabasePath } = settings;
  const file = readConfigFile(configPath);
  const paths = [emulatorDatabasePath];
  if (file?.mode === undefined || file.mode === 'emulator') {
    await checkMode(context, settings);
    paths.push(databasePath);
  }
  const removed = paths.filter((path) => existsSync(path));
  if (removed.length > 0)
    await confirmed(context, `Remove ${removed.join(' and ')}, with all keys and usage in it?`);
  for (const path of removed) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  }
  if (file?.mode === 'emulator' && file.stripe) {
    const { stripe, ...kept } = file;
    writeConfigFile(configPath, kept);
  }
  context.show({
    json: () => ({ removed }),
    text: () => (removed.length === 0 ? 'There was nothing to remove.' : `Removed ${removed.join(' and ')}.`),
  });
}

/** A ledger of real money must never go this way: opening tells whose database it is. Throws `conflict`. */
async function checkMode(context: Context, settings: Settings): Promise<void> {
  if (!existsSync(settings.databasePath)) return;
  const store = await openStore(settings, await context.machine());
  await store.close();
}
