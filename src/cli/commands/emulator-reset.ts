/** `meterctl emulator reset`: throws the embedded Stripe away, and everything that was counted with it. */

import { existsSync, rmSync } from 'node:fs';
import type { Command } from 'commander';
import { readConfigFile, writeConfigFile } from '../../config/config-file.js';
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
  const { emulatorDatabasePath, databasePath, configPath } = context.emulatorSettings();
  const inUse =
    context.settings().mode === 'emulator' ? [emulatorDatabasePath, databasePath] : [emulatorDatabasePath];
  const removed = inUse.filter((path) => existsSync(path));
  if (removed.length > 0)
    await confirmed(context, `Remove ${removed.join(' and ')}, with all keys and usage in it?`);
  for (const path of removed) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  }
  const file = readConfigFile(configPath);
  if (file?.mode === 'emulator' && file.stripe) {
    const { stripe, ...kept } = file;
    writeConfigFile(configPath, kept);
  }
  context.show({
    json: () => ({ removed }),
    text: () => (removed.length === 0 ? 'There was nothing to remove.' : `Removed ${removed.join(' and ')}.`),
  });
}
