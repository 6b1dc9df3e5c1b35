/** Reads server-sent events from a stream that passes by, piece by piece (HTML Living Standard 9.2.6). */

/** A line, or the data of an event, that is longer is not read: its event counts, but tells nothing. */
const textMax = 256 * 1024;

/** Whether a body of this type is one. */
export function isEventStream(contentType: string | undefined): boolean {
  return /^text\/event-stream\b/i.test(contentType ?? '');
}

/** Takes the stream's bytes. */
export interface EventStream {
  push(chunk: Uint8Array): void;
}

/** Calls `onEvent` for each event that a client would get, with its data; `undefined` when that is too long to be read. */
export function createEventStream(onEvent: (data: string | undefined) => void): EventStream {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let dataLength = 0;
  let tooLong = false;
  let afterCarriageReturn = false;

  function dispatch(): void {
    if (data.length > 0 || tooLong) onEvent(tooLong ? undefined : data.join('\n'));
    data = [];
    dataLength = 0;
    tooLong = false;
  }

  function line(text: string): void {
    if (text === '') dispatch();
    if (text !== 'data' && !text.startsWith('data:')) return;
    const value = text.slice(5).replace(/^ /, '');
    dataLength += value.length;
    if (dataLength > textMax) tooLong = true;
    else data.push(value);
  }

  return {
    push(chunk) {
      let text = decoder.decode(chunk, { stream: true });
      // The second half of a line's end whose first half came with the last piece.
      if (afterCarriageReturn && text.startsWith('\n')) {
        text = text.slice(1);
        afterCarriageReturn = false;
      }
      if (text !== '') afterCarriageReturn = text.endsWith('\r');
      const lines = (rest + text).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      for (const each of lines) line(each);
      if (rest.length > textMax) {
        if (rest.startsWith('data')) tooLong = true;
        rest = `${rest.slice(0, 5)}`;
      }
    },
  };
}
