/** The terminal as a value: three streams and what is known of them. Tests hand in another. */

/** A stream that people or programs read. */
export interface Screen {
  stream: NodeJS.WritableStream;
  /** Whether a person looks at it. */
  isTty: boolean;
  /** Whether it may be coloured. */
  color: boolean;
  /** Its width in characters. */
  columns: number;
}

/** Where a run reads and writes. Results go to `stdout`; prompts, progress and the log go to `stderr`. */
export interface Terminal {
  stdin: NodeJS.ReadableStream;
  stdout: Screen;
  stderr: Screen;
  /** Whether a person can be asked. */
  interactive: boolean;
}

/** What the streams of a process have in common with those of a test. */
export interface Streams {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
}

/** Width of a line when nobody says otherwise. */
const columnsDefault = 80;

/**
 * Describes the streams. `NO_COLOR` (https://no-color.org) and `TERM=dumb` switch colour off; under `CI` nobody is asked
 * anything, whatever the streams look like.
 */
export function createTerminal(streams: Streams, env: Record<string, string | undefined>): Terminal {
  const colorAllowed = !env.NO_COLOR && env.TERM !== 'dumb';
  const screen = (stream: Streams['stdout']): Screen => ({
    stream,
    isTty: stream.isTTY === true,
    color: stream.isTTY === true && colorAllowed,
    columns: stream.columns ?? columnsDefault,
  });
  const stderr = screen(streams.stderr);
  const isInteractive = () => streams.stdin.isTTY === true && stderr.isTty && !env.CI;
  return {
    // A process makes its stdin when it is first touched, which most commands never do.
    get stdin() {
      return streams.stdin;
    },
    get interactive() {
      return isInteractive();
    },
    stdout: screen(streams.stdout),
    stderr,
  };
}

/** The same terminal without colour. */
export function withoutColor(terminal: Terminal): Terminal {
  const { stdout, stderr } = terminal;
  return Object.create(terminal, {
    stdout: { value: { ...stdout, color: false } },
    stderr: { value: { ...stderr, color: false } },
  });
}
