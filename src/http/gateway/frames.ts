/** Counts the messages of a WebSocket while its bytes pass (RFC 6455 5.2). */

/** Follows one direction. */
export interface Frames {
  push(chunk: Uint8Array): void;
}

/** The longest head of a frame: two bytes, eight of length, four of mask. */
const headMax = 14;

/** Calls `onMessage` at the last frame of each message; control frames are none. */
export function createFrames(onMessage: () => void): Frames {
  const head = Buffer.alloc(headMax);
  let headBytes = 0;
  /** What is left of the present frame's payload. */
  let payload = 0n;

  function headLength(): number {
    const second = head.readUInt8(1);
    const length = second & 0x7f;
    return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
  }

  function payloadLength(): bigint {
    const length = head.readUInt8(1) & 0x7f;
    if (length === 126) return BigInt(head.readUInt16BE(2));
    return length === 127 ? head.readBigUInt64BE(2) : BigInt(length);
  }

  function endHead(): void {
    const first = head.readUInt8(0);
    const isLast = (first & 0x80) !== 0;
    const isData = (first & 0x0f) < 8;
    payload = payloadLength();
    headBytes = 0;
    if (isLast && isData) onMessage();
  }

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (payload > 0n) {
          const passing = Math.min(chunk.length - at, Number(payload));
          payload -= BigInt(passing);
          at += passing;
          continue;
        }
        head[headBytes] = chunk[at] ?? 0;
        headBytes += 1;
        at += 1;
        if (headBytes >= 2 && headBytes === headLength()) endHead();
      }
    },
  };
}
