/** The log on stderr: lines for a person on a TTY, one JSON object a line otherwise. */

import { MeterctlError } from '../domain/error.js';
import type { Log } from '../lib/host.js';
import { createPaint } from './paint.js';
import { printable } from './printable.js';
import type { Screen } from './terminal.js';

/** How much is logged: everything from this level up. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log that writes to the screen. */
export function createLog(options: { screen: Screen; level: LogLevel; nowMs: () => number }): Log {
  const { screen } = options;
  const loggable = loggableAt(options.level);
  const format = screen.isTty ? humanLine(screen, loggable) : jsonLine(loggable);
  const write = (level: LogLevel) => {
    if (levels.indexOf(level) < levels.indexOf(options.level)) return () => undefined;
    return (message: string, fields: Record<string, unknown> = {}) => {
      screen.stream.write(`${format(level, message, fields, new Date(options.nowMs()).toISOString())}\n`);
    };
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

type Loggable = (value: unknown) => unknown;

function jsonLine(loggable: Loggable) {
  return (level: LogLevel, message: string, fields: Record<string, unknown>, time: string) => {
    const shown = Object.entries(fields).map(([name, value]) => [name, loggable(value)]);
    return JSON.stringify({ time, level, message, ...Object.fromEntries(shown) });
  };
}

function humanLine(screen: Screen, loggable: Loggable) {
  const paint = createPaint(screen);
  const marks = {
    debug: paint.faint('debug'),
    info: paint.good('info '),
    warn: paint.warning('warn '),
    error: paint.bad('error'),
  };
  return (level: LogLevel, message: string, fields: Record<string, unknown>, time: string) => {
    const details = Object.entries(fields)
      .map(([name, value]) => ` ${paint.faint(`${name}=`)}${printable(inline(loggable(value)))}`)
      .join('');
    return `${paint.faint(time.slice(11, 19))} ${marks[level]} ${printable(message)}${details}`;
  };
}

/** A defect is logged whole, because its stack names the place; of an operating error the stack tells nothing but to debug. */
function loggableAt(level: LogLevel): Loggable {
  return function loggable(value: unknown): unknown {
    if (!(value instanceof Error)) return value;
    if (value instanceof MeterctlError && value.code !== 'internal' && level !== 'debug')
      return value.message;
    const cause = value.cause === undefined ? {} : { cause: loggable(value.cause) };
    return { name: value.name, message: value.message, stack: value.stack, ...cause };
  };
}

function inline(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
