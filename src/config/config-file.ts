/** meterctl.json: read and checked, written in a stable order. It is meant for version control and holds no secret. */

import type { z } from 'zod';
import { MeterctlError } from '../domain/error.js';
import { routesSchema } from './gateway-schema.js';
import { type ConfigFile, fileSchema, sections } from './schema.js';
import { nearest } from './spelling.js';
import { readTextFile, replaceTextFile } from './text-file.js';

/** The name of the file unless somebody names another. */
export const configFileName = 'meterctl.json';

/** Reads the file; `undefined` when there is none. Throws `invalid` with the place of every fault, or `unavailable`. */
export function readConfigFile(path: string): ConfigFile | undefined {
  const text = readTextFile(path);
  if (text === undefined) return undefined;
  const raw = parseJson(path, text);
  const checked = fileSchema.safeParse(raw);
  if (checked.success) return checked.data;
  const faults = checked.error.issues.flatMap((issue) => faultTexts(issue, raw));
  throw new MeterctlError('invalid', `${path}: ${faults.map(({ fault }) => fault).join('; ')}.`, {
    hint: faults.find(({ hint }) => hint !== undefined)?.hint,
  });
}

/** Writes the file whole or not at all. Throws `unavailable`. */
export function writeConfigFile(path: string, file: ConfigFile): void {
  const ordered = fileSchema.parse(file);
  replaceTextFile(path, `${JSON.stringify(ordered, null, 2)}\n`, 0o644);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MeterctlError('invalid', `${path} is not JSON: ${reason}.`, {
      hint: 'Look for a missing quote, a missing comma, or a comma too many.',
      cause: error,
    });
  }
}

/** What one issue says, naming the place in the file; an unknown key with the likely spelling. */
function faultTexts(issue: z.core.$ZodIssue, raw: unknown): { fault: string; hint?: string | undefined }[] {
  const place = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const likely = nearest(key, knownKeys(place));
      return {
        fault: `${[...issue.path, key].join('.')} is not a setting`,
        hint: likely ? `Did you mean ${[...issue.path, likely].join('.')}?` : settingsHint(place),
      };
    });
  }
  if (place === '') return [{ fault: 'it must hold one object { … }' }];
  if (valueAt(raw, issue.path) === undefined) return [{ fault: `${place} is missing` }];
  if (place in sections && issue.code === 'invalid_type')
    return [{ fault: `${place} must be an object { … }` }];
  return [{ fault: `${place} ${issue.message}` }];
}

function knownKeys(section: string): string[] {
  if (section === '') return Object.keys(fileSchema.shape);
  if (/^routes\.\d+$/.test(section)) return Object.keys(routesSchema.element.shape);
  const known = Object.entries(sections).find(([name]) => name === section);
  return known ? Object.keys(known[1].shape) : [];
}

function settingsHint(section: string): string {
  return `${section === '' ? 'The file' : section} knows: ${knownKeys(section).join(', ')}.`;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    raw,
  );
}
