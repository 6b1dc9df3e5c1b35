/** The one error class for what can go wrong while operating; anything else that is thrown is a defect. */

/** What kind of failure it is. One table turns it into an exit code, another into an HTTP status. */
export type ErrorCode =
  /** Bad input or bad usage. */
  | 'invalid'
  /** No such thing. */
  | 'not_found'
  /** Stripe refused the key, or the key lacks a permission. */
  | 'unauthorized'
  /** Something exists already with other values, or belongs to another mode or account. */
  | 'conflict'
  /** Stripe, the database or the upstream cannot be reached or written. */
  | 'unavailable'
  /** Stopped by the person at the terminal. */
  | 'interrupted'
  /** A defect in this program. */
  | 'internal';

/** An operating error: says what happened and where; `hint` says what mends it. Never carries a secret. */
export class MeterctlError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Stripe has answered with this error, and gives the same answer again to the same Idempotency-Key (stripe-facts 9). */
  readonly answered: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; answered?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MeterctlError';
    this.code = code;
    this.hint = options.hint;
    this.answered = options.answered ?? false;
  }
}
