/** Text from outside, made safe to print. */

/**
 * The text on one line, without control characters: the name of a customer or a Stripe message must not be able to clear
 * the screen, move the cursor or start a second line that looks like ours.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}
