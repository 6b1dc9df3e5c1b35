/** What a command works with: opened when it is first asked for, closed when the command has ended. */

import { openBilling, openStore, openTimedHost } from '../app.js';
import type { Self } from '../bench/processes.js';
import { verifyAccount } from '../bootstrap/verify-account.js';
import { resolveSettings } from '../config/resolve-settings.js';
import type { CatalogIds, CatalogSettings, Settings } from '../config/settings.js';
import { gatherSources, type SettingFlags, type Sources } from '../config/sources.js';
import type { Actor } from '../domain/audit.js';
import type { Billing } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { Store } from '../domain/store.js';
import { createClosers } from '../lib/closers.js';
import type { Host } from '../lib/host.js';
import { createLog, type LogLevel } from '../terminal/log.js';
import { createPaint, type Paint } from '../terminal/paint.js';
import { type Terminal, withoutColor } from '../terminal/terminal.js';
import type { GlobalFlags } from './program.js';
import type { Prompt } from './prompt.js';
import type { Surroundings } from './surroundings.js';

/** Settings after `init`: what is sold, and Stripe's ids of it, are known. */
export type ReadySettings = Settings & { catalog: CatalogSettings; catalogIds: CatalogIds };

/** What a command has to tell: data for a script, text for a person. Only one of them is made. */
export interface Result {
  json(): unknown;
  text(): string;
}

/** The tools of one run of a command. */
export interface Context {
  terminal: Terminal;
  /** Colours of stdout. */
  paint: Paint;
  flags: GlobalFlags;
  folder: string;
  /** Whether a question may be put to a person. */
  mayAsk: boolean;
  /** Who is at the command line, for the audit log. */
  actor: Actor;
  /** How this program is started once more, and the environment that it would get. */
  self: Self;
  env: Surroundings['env'];
  untilStopped(): Promise<void>;
  /** Everything that settings are made of; `flags` are those that a command adds to the global ones. */
  sources(flags?: SettingFlags): Sources;
  settings(flags?: SettingFlags): Settings;
  /** The settings that this folder has in emulator mode, whatever its mode is. */
  emulatorSettings(): Settings;
  /** The settings of a folder where `init` was run. Throws `invalid` elsewhere. */
  readySettings(flags?: SettingFlags): ReadySettings;
  /** The machine with its own time. `level` is what is logged unless a flag says otherwise. */
  machine(level?: LogLevel): Promise<Host>;
  /** The machine with the time that Stripe bills by. */
  host(): Promise<Host>;
  store(): Promise<Store>;
  /** Stripe, once it is sure that the key belongs to the account of the database. */
  billing(): Promise<Billing>;
  prompt(): Promise<Prompt>;
  /** Writes the result to stdout. */
  show(result: Result): void;
  /** Says something beside the result, on stderr, unless `--quiet`. */
  note(text: string): void;
  close(): Promise<void>;
}

/** A context; nothing is opened yet. */
export function openContext(surroundings: Surroundings, flags: GlobalFlags): Context {
  const terminal = flags.color ? surroundings.terminal : withoutColor(surroundings.terminal);
  const closers = createClosers();
  const { stdout, stderr } = terminal;

  function sources(more: SettingFlags = {}): Sources {
    const { config, database } = flags;
    const named = { ...(config && { config }), ...(database && { database }), ...more };
    return gatherSources({ folder: surroundings.folder, env: surroundings.env, flags: named });
  }

  const context: Context = {
    terminal,
    paint: createPaint(stdout),
    flags,
    folder: surroundings.folder,
    mayAsk: terminal.interactive && !flags.yes,
    actor: `cli:${userOf(surroundings)}`,
    self: surroundings.self,
    env: surroundings.env,
    untilStopped: surroundings.untilStopped,
    sources,
    settings: (more) => resolveSettings(sources(more), surroundings.folder),
    emulatorSettings: () => resolveSettings(asEmulator(sources()), surroundings.folder),
    readySettings: (more) => ready(context.settings(more)),
    machine: (level = 'warn') =>
      surroundings.loadHost((nowMs) =>
        createLog({ screen: stderr, level: flags.verbose ? 'debug' : flags.quiet ? 'error' : level, nowMs }),
      ),
    host: once(async () => closers.add(await openTimedHost(context.settings(), await context.machine()))),
    store: once(async () => closers.add(await openStore(context.readySettings(), await context.host()))),
    billing: once(async () => {
      const settings = context.readySettings();
      const store = await context.store();
      const billing = closers.add(await openBilling(settings, await context.machine()));
      await verifyAccount({ store, billing }, settings.catalogIds.meter);
      return billing;
    }),
    prompt: once(async () => (await import('./prompt.js')).createPrompt(terminal)),
    show(result) {
      const text = flags.json ? jsonText(result.json(), stdout.isTty) : result.text();
      stdout.stream.write(text.endsWith('\n') ? text : `${text}\n`);
    },
    note(text) {
      if (!flags.quiet) stderr.stream.write(`${text}\n`);
    },
    close: () => closers.close(),
  };
  return context;
}

/** Asks before something that cannot be undone; goes on where nobody can be asked. Throws `interrupted` on a no. */
export async function confirmed(context: Context, question: string): Promise<void> {
  if (!context.mayAsk) return;
  const prompt = await context.prompt();
  if (!(await prompt.confirm(question, false))) {
    throw new MeterctlError('interrupted', 'Nothing was done.');
  }
}

/** The user as the environment tells, in which Windows has another name for it; cron, systemd and containers set none. */
function userOf({ env: { LOGNAME, USER, USERNAME }, userName }: Surroundings): string {
  const name = LOGNAME || USER || USERNAME || userName() || 'unknown';
  return name.replace(/[^\w.@\\-]/g, '_').slice(0, 64);
}

function asEmulator(sources: Sources): Sources {
  const none = { value: null, source: 'default' } as const;
  return { ...sources, file: { ...sources.file, mode: 'emulator' }, secretKey: none, apiBase: none };
}

/** One line for a program, indented for a person. */
function jsonText(value: unknown, isTty: boolean): string {
  return JSON.stringify(value, null, isTty ? 2 : undefined);
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}

function ready(settings: Settings): ReadySettings {
  const { catalog, catalogIds, configPath } = settings;
  if (catalog && catalogIds) return { ...settings, catalog, catalogIds };
  throw new MeterctlError(
    'invalid',
    `Nothing is set up here yet: ${configPath} ${catalog ? 'has no ids of Stripe' : 'names no product'}.`,
    {
      hint: "Run meterctl init first, or name another folder's file with --config.",
    },
  );
}
