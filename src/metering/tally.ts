/** Reads what a call costs from its answer, as it passes. */

import type { Cost } from '../domain/route.js';
import { createEventStream, isEventStream } from './event-stream.js';
import { valueAt } from './json-pointer.js';

/** What the head of an answer tells. */
export interface AnswerSigns {
  /** Every `Meterctl-Units` of it. */
  unitsSaid: readonly string[];
  contentType: string | undefined;
  /** Whether the body is compressed. */
  encoded: boolean;
  /** Whether the connection was handed over to another protocol, such as WebSocket. */
  upgraded: boolean;
}

/** How much of the request has been passed on. */
export interface RequestSigns {
  bytes: number;
  ended: boolean;
}

/** When the units are known: with the head, once the whole body is here, or not before the last of it has passed. */
export type KnownWhen = 'head' | 'whole' | 'end';

/** The units so far, as they were told. Without `units` nothing has told them yet; `why` then says what is wrong with what was told. */
export type Reading = { units: number } | { units?: undefined; why?: string };

/** Adds up one call. */
export interface Tally {
  head(answer: AnswerSigns, request: RequestSigns): KnownWhen;
  data(chunk: Uint8Array): void;
  message(from: 'client' | 'upstream'): void;
  read(): Reading;
}

/** A larger document is not read. */
export const documentBytesMax = 1024 * 1024;

/** A tally that starts anew. */
export function createTally(cost: Cost): Tally {
  switch (cost.by) {
    case 'fixed':
      return tally({ read: () => ({ units: cost.units }) });
    case 'header':
      return headerTally();
    case 'request-bytes':
      return requestBytesTally(cost.per);
    case 'response-bytes':
      return responseBytesTally(cost.per);
    case 'json':
      return documentTally(cost.pointer);
    case 'events':
      return eventCountTally();
    case 'last-event':
      return lastEventTally(cost.pointer);
    case 'messages':
      return messageTally(cost.from);
  }
}

/** A tally of these parts; it is told nothing by the others. All are of one shape, which V8 makes much of on every call. */
function tally({
  head = () => 'head',
  data = () => undefined,
  message = () => undefined,
  read,
}: Partial<Tally> & Pick<Tally, 'read'>): Tally {
  return { head, data, message, read };
}

function headerTally(): Tally {
  let reading: Reading = {};
  return tally({
    head({ unitsSaid }) {
      const [said] = unitsSaid;
      if (said !== undefined)
        reading = unitsSaid.length === 1 ? readText(said) : { why: 'said more than once' };
      return 'head';
    },
    read: () => reading,
  });
}

function readText(text: string): Reading {
  return /^\d{1,16}$/.test(text)
    ? { units: Number(text) }
    : { why: `not a whole number: ${text.slice(0, 40)}` };
}

function requestBytesTally(per: number): Tally {
  let request: RequestSigns = { bytes: 0, ended: true };
  return tally({
    head(_answer, passing) {
      // The count goes on while the request does.
      request = passing;
      return passing.ended ? 'head' : 'end';
    },
    read: () => ({ units: Math.ceil(request.bytes / per) }),
  });
}

function responseBytesTally(per: number): Tally {
  let bytes = 0;
  return tally({
    head: () => 'end',
    data(chunk) {
      bytes += chunk.length;
    },
    read: () => ({ units: Math.ceil(bytes / per) }),
  });
}

function documentTally(pointer: string): Tally {
  let chunks: Uint8Array[] | undefined = [];
  let bytes = 0;
  let fault: string | undefined;
  return tally({
    head({ encoded, upgraded }) {
      if (upgraded) fault = 'the connection was handed over';
      else if (encoded) fault = 'the answer is compressed';
      return fault === undefined ? 'whole' : 'head';
    },
    data(chunk) {
      bytes += chunk.length;
      if (bytes > documentBytesMax) chunks = undefined;
      chunks?.push(chunk);
    },
    read() {
      if (fault !== undefined) return { why: fault };
      if (!chunks) return { why: `the answer has more than ${documentBytesMax} bytes` };
      return readJson(new TextDecoder().decode(Buffer.concat(chunks)), pointer);
    },
  });
}

function readJson(text: string, pointer: string): Reading {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { why: 'the answer is not JSON' };
  }
  return readValue(valueAt(document, pointer), pointer);
}

function readValue(value: unknown, pointer: string): Reading {
  if (typeof value === 'number') return { units: value };
  return { why: value === undefined ? `nothing stands at ${pointer}` : `no number stands at ${pointer}` };
}

function eventCountTally(): Tally {
  let count = 0;
  const { head, data, fault } = eventReader(() => {
    count += 1;
  });
  return tally({ head, data, read: () => fault() ?? { units: count } });
}

function lastEventTally(pointer: string): Tally {
  let reading: Reading = { why: `no event has ${pointer}` };
  // Most events are passed over without being parsed: they do not even hold the field's name.
  const name = JSON.stringify(
    pointer
      .slice(pointer.lastIndexOf('/') + 1)
      .replaceAll('~1', '/')
      .replaceAll('~0', '~'),
  );
  const { head, data, fault } = eventReader((text) => {
    if (!text?.includes(name)) return;
    const told = readJson(text, pointer);
    if (told.units !== undefined) reading = told;
  });
  return tally({ head, data, read: () => fault() ?? reading });
}

function eventReader(onEvent: (data: string | undefined) => void) {
  const events = createEventStream(onEvent);
  let why: string | undefined;
  return {
    head({ contentType, encoded }: AnswerSigns): KnownWhen {
      if (!isEventStream(contentType)) why = 'the answer is no event stream';
      else if (encoded) why = 'the answer is compressed';
      return why === undefined ? 'end' : 'head';
    },
    data(chunk: Uint8Array): void {
      if (why === undefined) events.push(chunk);
    },
    fault: (): Reading | undefined => (why === undefined ? undefined : { why }),
  };
}

function messageTally(from: 'client' | 'upstream' | 'both'): Tally {
  let count = 0;
  let upgraded = false;
  return tally({
    head(answer) {
      upgraded = answer.upgraded;
      return upgraded ? 'end' : 'head';
    },
    message(sender) {
      if (from === 'both' || from === sender) count += 1;
    },
    read: () => (upgraded ? { units: count } : { why: 'the answer is no WebSocket' }),
  });
}
