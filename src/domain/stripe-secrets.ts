/** Stripe's secrets, which must not be told anywhere. Without the SDK, as errors of every command pass through here. */

/** The text without secrets of Stripe: of a key or a signing secret only its kind is left. */
export function withoutStripeSecrets(text: string): string {
  return text.replace(
    /\b(sk|rk|whsec)_(?:(test|live)_|(?!test_|live_))[0-9A-Za-z*_]{4,}/g,
    (_, kind, mode) => (mode ? `${kind}_${mode}_…` : `${kind}_…`),
  );
}
