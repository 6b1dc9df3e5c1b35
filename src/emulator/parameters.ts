/** The pieces that schemas of request parameters are made of, and Stripe's words for what is wrong with one. */

import { z } from 'zod';
import { ApiError, missing } from './api-error.js';

/** A text. An empty one is refused: to Stripe it means "unset". */
export function text(limits: { max?: number } = {}) {
  const max = limits.max ?? 5000;
  return z.string().check((context) => {
    const { value } = context;
    if (value === '') refuse(context, 'parameter_invalid_empty', emptyMessage);
    else if (value.length > max)
      refuse(
        context,
        undefined,
        () => `Invalid string: ${shorten(value)}; must be at most ${max} characters`,
      );
  });
}

/** A whole number, written as one. */
export function integer(limits: { min?: number; max?: number } = {}) {
  return z.string().transform((raw, context) => {
    const value = /^[+-]?\d{1,15}$/.test(raw) ? Number(raw) : undefined;
    if (value === undefined) {
      refuse(context, 'parameter_invalid_integer', () => `Invalid integer: ${shorten(raw)}`);
      return z.NEVER;
    }
    const { min, max } = limits;
    if (min !== undefined && value < min) {
      refuse(context, 'parameter_invalid_integer', () =>
        min === 0 ? 'Invalid non-negative integer' : `This value must be greater than or equal to ${min}.`,
      );
    } else if (max !== undefined && value > max) {
      refuse(context, 'parameter_invalid_integer', () => `This value must be less than or equal to ${max}.`);
    }
    return value;
  });
}

/** `true` or `false`. */
export function flag() {
  return z.string().transform((raw, context) => {
    if (raw !== 'true' && raw !== 'false') {
      refuse(context, undefined, () => `Invalid boolean: ${shorten(raw)}`);
      return z.NEVER;
    }
    return raw === 'true';
  });
}

/** A plain decimal number with at most `places` decimals, kept as text. No exponents. */
export function decimalText(limits: { places: number; min?: 0 }) {
  return z.string().check((context) => {
    const { value } = context;
    const match = /^(-?)\d{1,24}(?:\.(\d+))?$/.exec(value);
    if (!match) refuse(context, undefined, () => `Invalid decimal: ${shorten(value)}`);
    else if ((match[2] ?? '').length > limits.places)
      refuse(
        context,
        undefined,
        (param) => `Invalid ${param}: must have at most ${limits.places} decimal places`,
      );
    else if (limits.min === 0 && match[1] === '-')
      refuse(context, undefined, (param) => `Invalid ${param}: must be greater than or equal to 0`);
  });
}

/** One of a closed set of words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words);
}

/** A value that an empty text unsets: `null` stands for that. */
export function emptyable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([z.literal('').transform(() => null), schema]);
}

/** Key-value pairs: an empty value removes the key, an empty hash removes all (`''`). Stripe: 50 keys of 40, values of 500. */
export function metadata() {
  return emptyable(
    z.record(z.string().max(40), z.string().max(500)).refine((pairs) => Object.keys(pairs).length <= 50, {
      message: 'You may only specify up to 50 metadata keys.',
    }),
  );
}

/** Metadata after an update: `''` removes a key, `null` removes all. */
export function mergeMetadata(
  present: Record<string, string>,
  change: Record<string, string> | null | undefined,
): Record<string, string> {
  if (change === null) return {};
  const merged = { ...present, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}

/** A `created` filter: one second, or a range of them. */
export function createdRange() {
  const second = integer({ min: 0 }).optional();
  const range = z.strictObject({ gt: second, gte: second, lt: second, lte: second });
  return z.preprocess((raw) => (typeof raw === 'string' ? { gte: raw, lte: raw } : raw), range);
}

/** The shape of a refusal inside a schema: Stripe's code, and a message that may name the parameter. */
type Refusal = (param: string) => string;

const emptyMessage: Refusal = (param) =>
  `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however ` +
  `'${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`;

/** Adds a refusal to what a schema found wrong. `code` undefined: Stripe sends none. */
export function refuse(
  context: { issues: z.core.$ZodRawIssue[]; value: unknown },
  code: string | undefined,
  message: Refusal,
): void {
  context.issues.push({ code: 'custom', input: context.value, params: { stripe: { code, message } } });
}

const expandSchema = z.array(z.string());

/**
 * Checks parameters against a strict schema. Throws the error Stripe answers with: unknown parameters first, then
 * whatever is wrong first.
 */
export function parseParameters<Schema extends z.ZodObject>(
  schema: Schema,
  raw: unknown,
  v2: boolean,
): { expand: string[]; parameters: z.output<Schema> } {
  const input = typeof raw === 'object' && raw !== null ? { ...raw } : {};
  let expand: string[] = [];
  if (!v2 && 'expand' in input) {
    const parsed = expandSchema.safeParse(input.expand);
    if (!parsed.success) throw new ApiError('Invalid array', { param: 'expand' });
    expand = parsed.data;
    delete input.expand;
  }
  const result = schema.safeParse(input);
  if (result.success) return { expand, parameters: result.data };
  const error = errorOf(result.error.issues, input);
  throw v2 ? asV2(error) : error;
}

/** v2 has one code for everything that is wrong with a field. */
function asV2({ message, param }: ApiError): ApiError {
  return new ApiError(message, { code: 'invalid_fields', ...(param ? { param } : {}) });
}

/** Stripe's error for what zod found. */
function errorOf(issues: z.core.$ZodIssue[], input: object): ApiError {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => bracketed([...issue.path, key])) : [],
  );
  const [firstUnknown] = unknown;
  if (firstUnknown !== undefined) {
    return new ApiError(`Received unknown parameter${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`, {
      code: 'parameter_unknown',
      param: firstUnknown,
    });
  }
  const [issue] = issues;
  if (issue === undefined) throw new TypeError('zod refused without an issue');
  return wordsFor(innermost(issue), input);
}

/** A union's last alternative is the schema proper (see emptyable): its complaint is the one to tell. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.at(-1)?.[0];
  return inner ? innermost({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}

function wordsFor(issue: z.core.$ZodIssue, input: object): ApiError {
  const param = bracketed(issue.path);
  const value = issue.path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    input,
  );
  if (value === undefined) return missing(param);
  if (issue.code === 'custom' && isRefusal(issue.params?.stripe)) {
    const { code, message } = issue.params.stripe;
    return new ApiError(message(param), { param, ...(code ? { code } : {}) });
  }
  if (issue.code === 'invalid_value')
    return new ApiError(`Invalid ${param}: must be one of ${spoken(issue.values.map(String))}`, { param });
  if (issue.code === 'invalid_type') {
    const wanted = issue.expected === 'object' || issue.expected === 'record' ? 'object' : issue.expected;
    return new ApiError(`Invalid ${wanted}`, { param });
  }
  return new ApiError(issue.message, { param });
}

function isRefusal(value: unknown): value is { code: string | undefined; message: Refusal } {
  return typeof value === 'object' && value !== null && 'message' in value;
}

/** `['recurring', 'interval']` as Stripe writes it: `recurring[interval]`. */
function bracketed(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map(String);
  return `${first ?? ''}${rest.map((each) => `[${each}]`).join('')}`;
}

/** `a, b, or c`. */
function spoken(words: string[]): string {
  if (words.length < 3) return words.join(' or ');
  return `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`;
}

/** A long value, as Stripe shortens it in messages. */
function shorten(value: string): string {
  return value.length > 40 ? `${value.slice(0, 10)}...${value.slice(-10)}` : value;
}
