/** The errors the emulator answers with, in exactly Stripe's shape. */

import { type ObjectKind, objectNames } from './object-kinds.js';

/** What can be said about an error beside its message. */
export interface ApiErrorDetails {
  /** HTTP status; 400 unless told. */
  status?: number;
  /** `error.type`; `invalid_request_error` unless told. */
  type?: string;
  code?: string;
  /** The parameter at fault, in bracket notation. */
  param?: string;
  /** Headers that go with the answer, such as `Retry-After`. */
  headers?: Record<string, string>;
}

/** An error that is answered, not logged: the request was wrong, or a rehearsed fault. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly headers: Record<string, string>;

  constructor(message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = details.status ?? 400;
    this.type = details.type ?? 'invalid_request_error';
    this.code = details.code;
    this.param = details.param;
    this.headers = details.headers ?? {};
  }
}

/** The JSON body of an error: `{error: {type, code, message, param, doc_url, request_log_url}}`. */
export function errorBody(error: ApiError, requestId: string, accountId: string): object {
  return {
    error: {
      ...(error.code
        ? { code: error.code, doc_url: `https://docs.stripe.com/error-codes#${error.code}` }
        : {}),
      message: error.message,
      ...(error.param ? { param: error.param } : {}),
      request_log_url: `https://dashboard.stripe.com/${accountId}/test/workbench/logs?object=${requestId}`,
      type: error.type,
    },
  };
}

/** The object named in the URL does not exist: 404. */
export function notFound(kind: ObjectKind, id: string): ApiError {
  return new ApiError(`No such ${objectNames[kind]}: '${id}'`, {
    status: 404,
    code: 'resource_missing',
    param: 'id',
  });
}

/** The object named by a parameter does not exist: 400. */
export function noSuch(kind: ObjectKind, id: string, param: string): ApiError {
  return new ApiError(`No such ${objectNames[kind]}: '${id}'`, { code: 'resource_missing', param });
}

/** A required parameter is missing. */
export function missing(param: string): ApiError {
  return new ApiError(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
}

/** Two parameters exclude each other. */
export function exclusive(first: string, second: string): ApiError {
  return new ApiError(`You may only specify one of these parameters: ${first}, ${second}.`, {
    code: 'parameters_exclusive',
    param: first,
  });
}
