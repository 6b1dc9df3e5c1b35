/** What the command line may show of a text that somebody typed. */

import { withoutStripeSecrets } from '../domain/stripe-secrets.js';
import { withoutKeys } from '../keys/secret.js';

/** The text with hints in the place of keys, and of Stripe's secrets nothing but their kind. */
export function withoutSecrets(text: string): string {
  return withoutStripeSecrets(withoutKeys(text));
}
