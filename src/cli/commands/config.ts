/** `meterctl config`: every setting, what it is and where that came from. */

import type { Command } from 'commander';
import { decideMode } from '../../config/decide-mode.js';
import { describeSettings, type ShownValue } from '../../config/describe-settings.js';
import type { Sourced, Sources } from '../../config/sources.js';
import { MeterctlError } from '../../domain/error.js';
import type { Mode } from '../../domain/mode.js';
import { tableText } from '../../terminal/table.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.action(run(show));
  addExamples(command, [
    ['meterctl config', 'what is in effect, secrets masked'],
    ['meterctl config --json | jq -r \'.values["server.port"].source\'', 'where the port comes from'],
  ]);
}

/** A mode that cannot be decided does not hide the other settings: they are what explains it. */
async function show(context: Context): Promise<undefined> {
  const sources = context.sources();
  const mode = tryMode(sources);
  const settings = describeSettings(
    sources,
    context.folder,
    mode instanceof MeterctlError ? undefined : mode,
  );
  if (mode instanceof MeterctlError && context.flags.json) throw mode;
  context.show({
    json: () => ({
      config_path: sources.configPath,
      values: Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }])),
    }),
    text: () =>
      tableText(
        context.terminal.stdout,
        [{ title: 'SETTING' }, { title: 'VALUE', flexible: true }, { title: 'SOURCE' }],
        settings.map(({ name, value, source }) => [
          name,
          valueText(value),
          { text: source, paint: source === 'default' ? context.paint.faint : context.paint.link },
        ]),
      ),
  });
  if (mode instanceof MeterctlError) throw mode;
}

function tryMode(sources: Sources): Sourced<Mode> | MeterctlError {
  try {
    return decideMode(sources);
  } catch (error) {
    if (error instanceof MeterctlError) return error;
    throw error;
  }
}

function valueText(value: ShownValue): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '-';
  return Array.isArray(value) ? value.join(', ') : String(value);
}
