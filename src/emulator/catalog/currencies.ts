/** The currencies a price can be in. */

import { z } from 'zod';
import { refuse } from '../parameters.js';

const known = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));

/** A three-letter currency, in lower case whatever case it came in. */
export function currency() {
  return z.string().transform((raw, context) => {
    const code = raw.toLowerCase();
    if (!known.has(code)) refuse(context, undefined, () => `Invalid currency: ${raw.slice(0, 20)}.`);
    return code;
  });
}
