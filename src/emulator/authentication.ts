/** Who may call: test keys only, shown as Bearer token or as the user of Basic authentication. */

import { ApiError } from './api-error.js';

const howTo =
  "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://docs.stripe.com/api#authentication for details, or we can help at https://support.stripe.com/.";

/** The credential in an `Authorization` header. Throws 401 when there is none. */
export function credential(header: string | undefined): string {
  const [scheme = '', value = ''] = (header ?? '').trim().split(/\s+/);
  const given =
    scheme.toLowerCase() === 'bearer'
      ? value
      : scheme.toLowerCase() === 'basic'
        ? (Buffer.from(value, 'base64').toString('utf8').split(':')[0] ?? '')
        : '';
  if (given === '') throw new ApiError(howTo, { status: 401 });
  return given;
}

/** Checks an API key. Any test key is good; a live key never belongs here. Throws 401 and 403. */
export function checkApiKey(key: string): void {
  if (/^(sk|rk)_test_\w+$/.test(key)) return;
  if (/^pk_(test|live)_\w+$/.test(key)) {
    throw new ApiError(
      'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
      { status: 403, code: 'secret_key_required' },
    );
  }
  throw new ApiError(`Invalid API Key provided: ${mask(key)}`, { status: 401 });
}

/** `sk_live_****wxyz`, as Stripe masks keys in messages. */
function mask(key: string): string {
  const prefix = /^(?:[a-z]{2}_(?:test|live)_)?/.exec(key)?.[0] ?? '';
  const rest = key.slice(prefix.length);
  return `${prefix}${'*'.repeat(Math.min(20, Math.max(4, rest.length - 4)))}${rest.length > 8 ? rest.slice(-4) : ''}`;
}
