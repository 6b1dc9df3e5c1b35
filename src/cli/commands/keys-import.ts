/** `meterctl keys import`: takes over keys by their hashes, from another database or from another system. */

import { type Command, Option } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import { type ImportedKey, type ImportOutcome, lookupSharersMax } from '../../domain/key-hash.js';
import type { DigestKind } from '../../keys/parse-hash.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { importedKeyOf, transferFields } from '../key-transfer-row.js';
import { openRows } from '../row-fields.js';

interface Options {
  hash: DigestKind;
}

/** Keys that are stored in one commit: short enough that no call waits for it long. */
const batchMax = 1_000;

const help = `
Rows are CSV with a header line or one JSON object a line, with the fields that keys export writes. Needed are customer and
hash: SHA-256 or HMAC-SHA-256 in hexadecimal or base64, bcrypt, or argon2. bcrypt and argon2 need lookup too: the first
characters of the key, by which it is found. Keys keep the form that they were issued in. HMAC is checked with the pepper in
METERCTL_KEY_PEPPER. A second import of the same file changes nothing.`;

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[file]', 'a CSV or NDJSON file; stdin by default', '-')
    .addOption(
      new Option('--hash <kind>', 'what a digest is that does not say')
        .choices(['sha256', 'hmac-sha256'])
        .default('sha256'),
    )
    .addHelpText('after', help)
    .action(run(importKeys));
  addExamples(command, [
    [
      'meterctl keys export --database old.db | meterctl keys import --database new.db',
      'from one to another',
    ],
    ['METERCTL_KEY_PEPPER=… meterctl keys import keys.csv --hash hmac-sha256', 'from a system with a pepper'],
  ]);
}

async function importKeys(context: Context, path: string, options: Options): Promise<undefined> {
  const host = await context.host();
  const { keyPepper } = context.readySettings().auth;
  const counts = { imported: 0, known: 0 };
  let batch: LinedKey[] = [];
  async function flush(): Promise<void> {
    const full = batch;
    batch = [];
    if (full.length > 0) await store(context, full, counts);
  }
  try {
    for await (const row of openRows(context, path, transferFields)) {
      const key = importedKeyOf(row, { host, digest: options.hash });
      if (key.hash.kind === 'hmac-sha256' && keyPepper === null) throw withoutPepper();
      batch.push({ line: row.line, key });
      if (batch.length === batchMax) await flush();
    }
    await flush();
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
    // What stands before a bad line is taken, unless storing itself has failed.
    const failed = await flush().then(
      () => error,
      (earlier: unknown) => earlier,
    );
    throw failed instanceof MeterctlError ? halfWay(failed, counts) : failed;
  }
  context.show({
    json: () => counts,
    text: () => `Imported ${counts.imported} keys; ${counts.known} were known already.`,
  });
}

/** The same error, with what was done before it. */
function halfWay(
  error: MeterctlError,
  { imported, known }: { imported: number; known: number },
): MeterctlError {
  if (imported + known === 0) return error;
  const done = `${imported} keys were imported before that and ${known} were known; they stay, and are known when this is run again.`;
  const hint = error.hint === undefined ? done : `${error.hint} ${done}`;
  return new MeterctlError(error.code, error.message, { hint, cause: error });
}

interface LinedKey {
  line: number;
  key: ImportedKey;
}

/** What fits is stored even when a row beside it does not: after the mend the same file is imported again. */
async function store(
  context: Context,
  batch: readonly LinedKey[],
  counts: { imported: number; known: number },
): Promise<void> {
  const act = { actor: context.actor, atMs: (await context.host()).clock.nowMs() };
  const keys = batch.map(({ key }) => key);
  const outcomes = await (await context.store()).importKeys(keys, act);
  let refused: MeterctlError | undefined;
  outcomes.forEach((outcome, index) => {
    if (outcome === 'imported' || outcome === 'known') counts[outcome] += 1;
    else refused ??= refusal(outcome, batch[index]);
  });
  if (refused) throw refused;
}

function refusal(
  outcome: Exclude<ImportOutcome, 'imported' | 'known'>,
  lined: LinedKey | undefined,
): MeterctlError {
  const { line = 0, key } = lined ?? {};
  switch (outcome) {
    case 'no_customer':
      return new MeterctlError('not_found', `Line ${line}: there is no customer ${key?.customerId} here.`, {
        hint: `Adopt the customer first: meterctl customers import ${key?.customerId}. Then run this again.`,
      });
    case 'conflict':
      return new MeterctlError('conflict', `Line ${line}: ${key?.id} is the id of another key here.`, {
        hint: 'Leave the id out, and the key gets a new one.',
      });
    case 'crowded':
      return new MeterctlError(
        'invalid',
        `Line ${line}: more than ${lookupSharersMax} keys begin with the same lookup; each call would try them all.`,
        { hint: 'Give more characters of the keys as lookup.' },
      );
  }
}

function withoutPepper(): MeterctlError {
  return new MeterctlError('invalid', 'HMAC-SHA-256 hashes cannot be checked without their pepper.', {
    hint: 'Set METERCTL_KEY_PEPPER in the environment or in .env, where serve reads it too.',
  });
}
