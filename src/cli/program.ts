/** The command line: every command in one list, loaded only when it is used, so that `--help` needs commander alone. */

import { Command, CommanderError, Help, type Option } from 'commander';
import type { Runner } from './command.js';
import { commandGroups, commandList } from './command-list.js';
import type { Surroundings } from './surroundings.js';

const programName = 'meterctl';

/** Longer lines of help are hard to read. */
const helpColumnsMax = 110;

const startHelp = `
Start with:
  $ meterctl init
  $ meterctl serve

Help on a command:
  $ meterctl keys create --help`;

/** What every command understands. */
export interface GlobalFlags {
  json?: true;
  config?: string;
  database?: string;
  quiet?: true;
  verbose?: true;
  /** `--no-color` makes it false. */
  color: boolean;
  yes?: true;
}

/** Runs one command line to its end and returns the exit code. Never throws. */
export async function runProgram(surroundings: Surroundings): Promise<number> {
  // `help keys create` is `keys create --help`, so that there is one way to help, which loads what it explains.
  const [first, ...rest] = surroundings.argv;
  const argv = first === 'help' ? [...rest, '--help'] : surroundings.argv;
  let exitCode = 0;
  let path = programName;
  const program = createProgram(surroundings, {
    entered: (command) => {
      path = pathOf(command);
    },
    run:
      (work) =>
      async (...args) => {
        const { openContext } = await import('./context.js');
        const context = openContext(surroundings, program.opts<GlobalFlags>());
        try {
          exitCode = (await work(context, ...args)) ?? 0;
        } finally {
          await context.close();
        }
      },
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return await reportError(error, path, surroundings);
  }
}

interface Hooks {
  entered(command: Command): void;
  run: Runner;
}

/** The first level of commands. What is below is added on the way down, just before it is parsed. */
function createProgram(surroundings: Surroundings, hooks: Hooks): Command {
  const { terminal, version } = surroundings;
  const program = new Command(programName)
    .description('Earn money with an API: keys, metering and exactly-once billing on Stripe.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.stream.write(text),
      // Errors are told once, at the end of runProgram.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(terminal.stdout.columns, helpColumnsMax),
      getOutHasColors: () => terminal.stdout.color && !surroundings.argv.includes('--no-color'),
    })
    .configureHelp({
      showGlobalOptions: true,
      // Bold; commander takes it away where there is no colour. Loading chalk, or only node:util, for this would take longer.
      styleTitle: (title) => `\u001b[1m${title}\u001b[22m`,
      visibleGlobalOptions,
    })
    .option('--json', 'print one JSON document on stdout')
    .option('--config <file>', 'read this instead of ./meterctl.json')
    .option('--database <file>', 'keep the data in this SQLite file')
    .option('-q, --quiet', 'print results and errors, nothing else')
    .option('-v, --verbose', 'log every step to stderr')
    .option('--no-color', 'print without colour')
    .option('-y, --yes', 'answer yes to every question');
  program.addHelpText('after', startHelp);
  addCommands(program, hooks);
  return program;
}

/**
 * Adds the commands one level below `parent`. When one of them is entered, it learns its own commands, or loads the file
 * that declares its options.
 */
function addCommands(parent: Command, hooks: Hooks): void {
  const below = commandList.filter(({ name }) => isBelow(parent, name));
  for (const word of new Set(below.map(({ name }) => name.split(' ')[depthOf(parent)] ?? name))) {
    const listed = below.find(({ name }) => name.split(' ').at(-1) === word);
    parent.command(word).summary(listed?.summary ?? commandGroups[word] ?? '');
  }
  parent.hook('preSubcommand', async (_, command) => {
    hooks.entered(command);
    const path = pathOf(command);
    command.description(sentence(command.summary()));
    if (commandList.some(({ name }) => isBelow(command, name))) addCommands(command, hooks);
    const next = parent.args[1];
    // `usage record` is a command of its own: the options of `usage` must not take its.
    if (command.commands.some((child) => child.name() === next)) return;
    const listed = commandList.find(({ name }) => path === `${programName} ${name}`);
    if (!listed) return;
    if (command.commands.length > 0 && next !== undefined && !next.startsWith('-'))
      await refuse(command, next);
    (await listed.load()).declare(command, hooks.run);
  });
  parent.allowExcessArguments().action(async () => {
    const [word] = parent.args;
    if (word === undefined && parent.parent === null) parent.outputHelp();
    else await refuse(parent, word);
  });
}

/** Throws what is to say of a word that is no command, or of none where one is needed. */
async function refuse(group: Command, word: string | undefined): Promise<never> {
  const { unknownCommand } = await import('./exit.js');
  const names = group.commands.map((command) => command.name());
  throw unknownCommand(pathOf(group), word, names);
}

/** The version is a matter of the program alone. */
function visibleGlobalOptions(this: Help, command: Command): Option[] {
  const options = Help.prototype.visibleGlobalOptions.call(this, command);
  return options.filter((option) => option.long !== '--version');
}

function isBelow(parent: Command, name: string): boolean {
  return `${programName} ${name}`.startsWith(`${pathOf(parent)} `);
}

function depthOf(command: Command): number {
  return command.parent ? depthOf(command.parent) + 1 : 0;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

async function reportError(thrown: unknown, path: string, { argv, terminal }: Surroundings): Promise<number> {
  const { describeError, exitCodeOf, stackOf } = await import('./exit.js');
  const { createPaint } = await import('../terminal/paint.js');
  const { printable } = await import('../terminal/printable.js');
  const { withoutSecrets } = await import('./without-secrets.js');
  const error = describeError(thrown, path);
  const { code } = error;
  const message = withoutSecrets(error.message);
  const hint = error.hint === undefined ? null : withoutSecrets(error.hint);
  const { stdout, stderr } = terminal;
  const paint = createPaint({ color: stderr.color && !argv.includes('--no-color') });
  if (argv.includes('--json')) stdout.stream.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  stderr.stream.write(`${paint.bad('error:')} ${printable(message)}\n`);
  if (hint !== null) stderr.stream.write(`${paint.faint('hint:')} ${printable(hint)}\n`);
  if (argv.includes('--verbose') || argv.includes('-v'))
    stderr.stream.write(`${withoutSecrets(stackOf(thrown))}\n`);
  return exitCodeOf(error);
}
