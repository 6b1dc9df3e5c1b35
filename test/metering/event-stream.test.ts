import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventStream } from '../../src/metering/event-stream.js';

/** What is read of the stream, cut into pieces at these places. */
function read(text: string, cuts: readonly number[] = []): (string | undefined)[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const events: (string | undefined)[] = [];
  const stream = createEventStream((data) => events.push(data));
  let from = 0;
  for (const to of [...places, bytes.length]) {
    stream.push(bytes.subarray(from, to));
    from = to;
  }
  return events;
}

describe('an event stream', () => {
  it.each([
    ['data: a\n\n', ['a']],
    ['data:a\r\n\r\ndata: b\r\rdata:  c\n\n', ['a', 'b', ' c']],
    ['data: a\ndata: b\n\n', ['a\nb']],
    ['data\n\ndata:\n\n', ['', '']],
    [': comment\n\nevent: x\nid: 1\nretry: 3\n\n', []],
    ['event: x\ndata: a\n\ndata: not over\n', ['a']],
    ['datax: a\n\n data: a\n\n', []],
    ['\uFEFFdata: a\n\n', ['a']],
  ])('%j holds %j', (text, events) => {
    expect(read(text)).toEqual(events);
  });

  it('is the same however it is cut', () => {
    const piece = fc.constantFrom('data: ä', 'data:', ': …', 'event: 🔥', '', 'x');
    const end = fc.constantFrom('\n', '\r', '\r\n');
    const text = fc.array(fc.tuple(piece, end).map((parts) => parts.join(''))).map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (whole, cuts) => {
        expect(read(whole, cuts)).toEqual(read(whole));
      }),
    );
  });

  it('takes only one line feed for the other half of a carriage return', () => {
    expect(read('data: a\r\n\ndata: b\n\n', [8, 9])).toEqual(['a', 'b']);
  });

  it('counts what is too long to be read, and holds no more of it', () => {
    const long = 'x'.repeat(300_000);
    const line = `data: ${long}\n\ndata: a\n\n`;
    const lines = `data: ${long.slice(0, 200_000)}\ndata: ${long.slice(0, 200_000)}\n\ndata: b\n\n`;
    const comment = `: ${long}\ndata: c\n\n`;
    const cuts = Array.from({ length: 50 }, (_, index) => index * 10_000);
    expect(read(line + lines + comment, cuts)).toEqual([undefined, 'a', undefined, 'b', 'c']);
  });
});
