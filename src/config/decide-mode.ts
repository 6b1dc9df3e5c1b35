/** Which Stripe a run talks to. A key that is lost or of another mode is an error, never a silent change of mode. */

import { MeterctlError } from '../domain/error.js';
import { type Mode, modeOfStripeKey } from '../domain/mode.js';
import type { Sourced, Sources } from './sources.js';

/**
 * The mode and what decided it: meterctl.json once it is written, the key before that, the emulator when there is
 * neither. Throws `unauthorized` when the key is missing, `conflict` when it belongs to another mode than the file, and
 * `invalid` for something that is no key or a base URL that the mode forbids.
 */
export function decideMode(
  sources: Pick<Sources, 'configPath' | 'file' | 'secretKey' | 'apiBase'>,
): Sourced<Mode> {
  const { secretKey, configPath } = sources;
  const written = sources.file?.mode;
  const ofKey = secretKey.value === null ? 'emulator' : modeOfKey(secretKey.value);
  if (written !== undefined && written !== ofKey) throw modeClash(written, ofKey, configPath);
  checkApiBase(sources.apiBase.value, ofKey);
  if (written !== undefined) return { value: written, source: 'meterctl.json' };
  return { value: ofKey, source: secretKey.source };
}

function modeOfKey(secretKey: string): Mode {
  const mode = modeOfStripeKey(secretKey);
  if (mode) return mode;
  const kind = secretKey.startsWith('pk_') ? 'a publishable key' : 'no secret or restricted key';
  throw new MeterctlError('invalid', `STRIPE_SECRET_KEY holds ${kind}.`, {
    hint: 'Keys of the server begin with sk_test_, rk_test_, sk_live_ or rk_live_: https://dashboard.stripe.com/apikeys',
  });
}

function modeClash(written: Mode, ofKey: Mode, configPath: string): MeterctlError {
  if (ofKey === 'emulator') {
    return new MeterctlError(
      'unauthorized',
      `${configPath} is in ${written} mode, but there is no Stripe key.`,
      { hint: `Set STRIPE_SECRET_KEY to a key of ${written} mode, in the environment or in .env.` },
    );
  }
  return new MeterctlError(
    'conflict',
    `${configPath} is in ${written} mode, but the Stripe key is a ${ofKey} key.`,
    {
      hint:
        written === 'emulator'
          ? 'Unset STRIPE_SECRET_KEY and STRIPE_API_KEY, or run init for the real Stripe in another folder.'
          : `Use a key of ${written} mode, or another folder for ${ofKey} mode.`,
    },
  );
}

function checkApiBase(apiBase: string | null, mode: Mode): void {
  if (apiBase === null) return;
  if (mode === 'live') {
    throw new MeterctlError('invalid', 'STRIPE_API_BASE is refused with a live key.', {
      hint: 'Unset STRIPE_API_BASE: a live key goes to Stripe and nowhere else.',
    });
  }
  const { hostname, pathname } = new URL(apiBase);
  if (pathname !== '/') {
    throw new MeterctlError('invalid', 'STRIPE_API_BASE must be a base URL without a path.');
  }
  if (mode === 'emulator' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    throw new MeterctlError(
      'invalid',
      `STRIPE_API_BASE leads to ${hostname}, but nothing leaves the machine in emulator mode.`,
      {
        hint: 'Use an address on this machine, such as http://127.0.0.1:12111, or set STRIPE_SECRET_KEY.',
      },
    );
  }
}
