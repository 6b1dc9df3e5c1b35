/** Which Stripe this program talks to. */

/** `emulator`: the embedded Stripe, nothing leaves the machine; `test`: a Stripe sandbox; `live`: real money. */
export type Mode = 'emulator' | 'test' | 'live';

/** The mode that a Stripe secret or restricted key belongs to; `undefined` when the text is no such key. */
export function modeOfStripeKey(secretKey: string): Mode | undefined {
  if (/^(sk|rk)_test_\S+$/.test(secretKey)) return 'test';
  if (/^(sk|rk)_live_\S+$/.test(secretKey)) return 'live';
  return undefined;
}
