/** What meterctl.json says of the gateway and of the routes that are sold. */

import { parse } from 'path-to-regexp';
import { z } from 'zod';
import { durationMs, parseDuration } from '../lib/duration.js';

const hourMs = 3_600_000;
const unitsMost = 1_000_000_000;

const path = z.string({ error: 'must be a path such as /v1/models/:id' }).superRefine((value, context) => {
  const problem = value.startsWith('/') ? problemOf(value) : 'must start with /';
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const count = whole(1, unitsMost, `must be a whole number from 1 to ${unitsMost}`);

const units = whole(0, unitsMost, `must be a whole number from 0 to ${unitsMost}`);

const pointer = z
  .string({ error: 'must be a JSON pointer such as /usage/total_tokens' })
  .regex(/^(\/([^~/]|~[01])*)+$/, { error: 'must be a JSON pointer such as /usage/total_tokens' });

const timeout = z.string({ error: 'must be a duration from 1s to 1h' }).refine(
  (value) => {
    const parsed = parseDuration(value);
    const ms = parsed && durationMs(parsed);
    return ms !== undefined && ms <= hourMs;
  },
  { error: 'must be a duration from 1s to 1h' },
);

const cost = z.union(
  [
    units,
    z.discriminatedUnion('by', [
      z.strictObject({ by: z.literal('header') }),
      z.strictObject({ by: z.literal('request-bytes'), per: count }),
      z.strictObject({ by: z.literal('response-bytes'), per: count }),
      z.strictObject({ by: z.literal('json'), pointer }),
      z.strictObject({ by: z.literal('events') }),
      z.strictObject({ by: z.literal('last-event'), pointer }),
      z.strictObject({
        by: z.literal('messages'),
        from: z.enum(['client', 'upstream', 'both']).default('both'),
      }),
    ]),
  ],
  {
    error:
      'must be a whole number, or {"by": "header"}, {"by": "request-bytes" or "response-bytes", "per": 1024}, ' +
      '{"by": "json" or "last-event", "pointer": "/usage/total_tokens"}, {"by": "events"} or {"by": "messages"}',
  },
);

/** One route: what is not said is as for `/api`. */
const route = z.strictObject({
  path,
  methods: z
    .array(z.string().regex(/^[A-Z]+$/, { error: 'must be a method in capitals, such as POST' }))
    .min(1, { error: 'must name a method' })
    .optional(),
  free: z.boolean({ error: 'must be true or false' }).optional(),
  units: cost.optional(),
  scope: z.string().min(1).max(100).optional(),
  counts: z
    .array(
      z.string().regex(/^[1-5](xx|\d\d)$/, { error: 'must be a status such as 404, or a class such as 2xx' }),
    )
    .min(1, { error: 'must name a status' })
    .optional(),
  onAbort: z
    .enum(['delivered', 'upstream', 'none'], { error: 'must be delivered, upstream or none' })
    .optional(),
  maxUnits: count.optional(),
  reserveUnits: units.optional(),
  fallbackUnits: units.optional(),
});

/** What a program may say of what it sells: a route without its path, under the name that reports show. */
export const priceSchema = route
  .omit({ path: true, methods: true })
  .extend({ route: z.string({ error: 'must be a name' }).min(1).max(200).optional() });

/** The routes, in the order in which they are tried. */
export const routesSchema = z.array(route, { error: 'must be a list of routes' }).max(1_000);

/** How the gateway treats the upstream. */
export const gatewaySchema = z
  .strictObject({
    /** More servers that answer as `server.upstream` does. */
    replicas: z.array(z.url({ protocol: /^https?$/, error: 'must hold http:// or https:// URLs' })).max(15),
    headTimeout: timeout,
    idleTimeout: timeout,
    requestBytesMax: whole(1, Number.MAX_SAFE_INTEGER, 'must be a number of bytes'),
    healthPath: z.string().regex(/^\/\S*$/, { error: 'must be a path such as /healthz' }),
  })
  .partial();

function whole(min: number, max: number, error: string) {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function problemOf(pattern: string): string | undefined {
  try {
    parse(pattern);
    return undefined;
  } catch (error) {
    return `is no pattern: ${error instanceof Error ? error.message : String(error)}`;
  }
}
