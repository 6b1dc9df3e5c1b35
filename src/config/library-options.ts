/** What a program that uses meterctl as a library may say, checked. */

import { z } from 'zod';
import { MeterctlError } from '../domain/error.js';
import type { RouteRule } from '../domain/route.js';
import { priceSchema } from './gateway-schema.js';
import { priceOf } from './gateway-settings.js';
import { rules } from './schema.js';
import { nearest } from './spelling.js';

const writer = z.custom<(message: string, fields?: Record<string, unknown>) => void>(
  (value) => typeof value === 'function',
  { error: 'must be a function' },
);

/** The log is taken as it is, so that its methods keep their object. */
const logSchema = z.custom<Record<'debug' | 'info' | 'warn' | 'error', z.infer<typeof writer>>>(
  (value) => z.object({ debug: writer, info: writer, warn: writer, error: writer }).safeParse(value).success,
  { error: 'must have the methods debug, info, warn and error, as console has' },
);

const optionsSchema = z.strictObject({
  folder: rules.path.optional(),
  config: rules.path.optional(),
  database: rules.path.optional(),
  url: rules.url.optional(),
  env: z.record(z.string(), z.string().optional(), { error: 'must be an object of texts' }).optional(),
  log: logSchema.optional(),
});

/** The options of `meterctl()`. */
export type LibraryOptions = z.infer<typeof optionsSchema>;

/** Reads them. Throws `invalid` with the name of whatever is wrong. */
export function readLibraryOptions(options: unknown): LibraryOptions {
  return check(optionsSchema, options, 'meterctl()');
}

/** What a call costs, by `said`; `undefined` when nothing is said. Throws `invalid`. */
export function readPrice(said: unknown): { rule: RouteRule; name: string | undefined } | undefined {
  if (said === undefined) return undefined;
  const price = check(priceSchema, said, 'The price');
  return { rule: { path: '/', methods: null, ...priceOf(price) }, name: price.route };
}

function check<T>(schema: z.ZodObject & z.ZodType<T>, value: unknown, what: string): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = Object.keys(schema.shape);
    const likely = nearest(key, known);
    throw new MeterctlError('invalid', `${what}: ${[...issue.path, key].join('.')} is no option.`, {
      hint: likely ? `Did you mean ${likely}?` : `There are: ${known.join(', ')}.`,
    });
  }
  const place = issue?.path.join('.') || 'what is given';
  const said = place === 'what is given' ? 'must be an object of options' : issue?.message;
  throw new MeterctlError('invalid', `${what}: ${place} ${said}.`);
}
