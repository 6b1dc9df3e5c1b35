/** Stripe's secrets, which must not be told anywhere. Without the SDK, as errors of every command pass through here. */

/** What they begin with says nothing by itself, and hints tell of it. */
const secrets = /\b(sk|rk|whsec)_(?!(?:test|live)_(?![0-9A-Za-z*_]))(?:(test|live)_)?[0-9A-Za-z*_]{4,}/g;

/** The text without secrets of Stripe: of a key or a signing secret only its kind is left. */
export function withoutStripeSecrets(text: string): string {
  return text.replace(secrets, (_, kind, mode) => (mode ? `${kind}_${mode}_…` : `${kind}_…`));
}
