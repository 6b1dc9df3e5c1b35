import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecretFinder } from '../../../src/keys/scan/secret-finder.js';
import { mintSecret } from '../../../src/keys/secret.js';
import { createFakeHost } from '../../support/host.js';

const { random } = createFakeHost();
const secrets = ['mk_test_', 'mk_live_', 'acme_live_'].map((prefix) => mintSecret(prefix, random).secret);

function find(...pieces: (string | Buffer)[]) {
  const finder = createSecretFinder();
  return pieces.flatMap((piece) => finder.feed(Buffer.from(piece)));
}

describe('the finder of secrets', () => {
  it('finds each with its line, whatever stands around it', () => {
    const [one, two, three] = secrets;
    const text = `a\nKEY=${one}\n\n{"key":"line\\n${two}"} ${three}, ${three}`;
    expect(find(text)).toEqual([
      { secret: one, line: 2 },
      { secret: two, line: 4 },
      { secret: three, line: 4 },
      { secret: three, line: 4 },
    ]);
    expect(find(`${one}${two}`).map(({ secret }) => secret)).toEqual([one, two]);
  });

  it('finds the same however the text is cut', () => {
    const part = fc.oneof(
      fc.constantFrom(...secrets),
      fc.string(),
      fc.constantFrom('\n', ' ', '_test_', 'é\n'),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat(400)), (parts, cuts) => {
        const text = Buffer.from(parts.join('|')).filter((byte) => byte !== 0);
        const ends = [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const pieces = ends.map((end, index) => Buffer.from(text.subarray(ends[index - 1] ?? 0, end)));
        const whole = find(Buffer.from(text));
        expect(find(...pieces)).toEqual(whole);
        expect(whole.length).toBe(parts.filter((one) => secrets.includes(one)).length);
      }),
    );
  });

  it('takes nothing for a secret that has a wrong checksum', () => {
    expect(find(`${secrets[0]?.slice(0, -1)}!`, `mk_test_${'a'.repeat(24)}_000000`)).toEqual([]);
  });

  it.each([
    ['utf-16le', (text: string) => Buffer.from(text, 'utf16le')],
    ['utf-16be', (text: string) => Buffer.from(text, 'utf16le').swap16()],
  ])('finds the same in %s, as Windows writes it', (_name, encode) => {
    const text = encode(`\ufeffĊ\r\nkey: ${secrets[0]}\r\n${secrets[1]}`);
    const found = [
      { secret: secrets[0], line: 2 },
      { secret: secrets[1], line: 3 },
    ];
    expect(find(text)).toEqual(found);
    expect(find(...Array.from(text, (byte) => Buffer.from([byte])))).toEqual(found);
  });

  it('does not look at what is binary', () => {
    expect(find(`\0${secrets[0]}`, secrets[1] ?? '')).toEqual([]);
  });
});
