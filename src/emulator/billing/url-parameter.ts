/** A parameter that holds a web address, which the hosted pages lead to. */

import { text } from '../parameters.js';

/** An `http` or `https` URL; anything else is refused, scripts among them. */
export function url() {
  return text().refine((value) => /^https?:\/\//i.test(value) && URL.canParse(value), {
    message: 'Not a valid URL',
  });
}
