/** Reading parameters off a request: bracketed forms and queries of v1, JSON of v2. */

import qs from 'qs';
import { ApiError } from './api-error.js';

/** Limits of the form parser: a hundred meter events or twenty tiers fit many times over. */
const formLimits = { depth: 8, arrayLimit: 1000, parameterLimit: 10_000 } as const;

/** What the parser looks at. */
export interface IncomingRequest {
  method: string;
  /** The path without the query. */
  path: string;
  /** The raw query, without `?`. */
  query: string;
  contentType: string;
  body: string;
}

/** The parameters as they came: texts, hashes and arrays (v1), any JSON (v2). Throws when they cannot be read. */
export function readParameters(request: IncomingRequest): unknown {
  const { method, path, query, contentType, body } = request;
  if (method === 'GET' || (method === 'DELETE' && body === '')) return qs.parse(query, formLimits);
  if (path.startsWith('/v2/')) return readJson(body);
  if (body !== '' && !contentType.startsWith('application/x-www-form-urlencoded')) {
    throw new ApiError(
      'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.',
    );
  }
  return qs.parse(body, formLimits);
}

function readJson(body: string): unknown {
  if (body === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ApiError('The request body is not valid JSON.', { code: 'invalid_fields' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError('The request body must be a JSON object.', { code: 'invalid_fields' });
  return value;
}
