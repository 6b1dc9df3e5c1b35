/** A stack of things to close, last opened first. */

/** Anything that must be closed. */
export interface Closable {
  close(): Promise<void> | void;
}

/** Collects closables while a program is being put together. */
export interface Closers {
  /** Remembers `closable` and hands it back, so that opening reads as one line. */
  add<T extends Closable>(closable: T): T;
  /** Closes everything in reverse order, each once. Throws the first error after trying all. */
  close(): Promise<void>;
}

/** An empty stack of closers. */
export function createClosers(): Closers {
  const stack: Closable[] = [];
  return {
    add(closable) {
      stack.push(closable);
      return closable;
    },
    async close() {
      const errors: unknown[] = [];
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        try {
          await next.close();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
