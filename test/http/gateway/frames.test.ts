import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrames } from '../../../src/http/gateway/frames.js';

interface Frame {
  opcode: number;
  last: boolean;
  masked: boolean;
  length: number;
}

function bytesOf({ opcode, last, masked, length }: Frame): Buffer {
  const mask = masked ? 0x80 : 0;
  const first = (last ? 0x80 : 0) | opcode;
  let head = Buffer.from([first, mask | length]);
  if (length > 65_535) {
    head = Buffer.alloc(10);
    head.writeUInt8(first);
    head.writeUInt8(mask | 127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  } else if (length > 125) {
    head = Buffer.from([first, mask | 126, length >> 8, length & 0xff]);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 7), Buffer.alloc(length, 0x81)]);
}

describe('frames', () => {
  it('are counted by whole messages, however they are masked, sized and cut', () => {
    const frame = fc.record({
      opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
      last: fc.boolean(),
      masked: fc.boolean(),
      length: fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 10 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(bytesOf));
          let messages = 0;
          const counter = createFrames(() => {
            messages += 1;
          });
          let from = 0;
          for (const to of [
            ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ]) {
            counter.push(bytes.subarray(from, to));
            from = to;
          }
          expect(messages).toBe(frames.filter(({ opcode, last }) => last && opcode < 8).length);
        },
      ),
      { numRuns: 50 },
    );
  });
});
