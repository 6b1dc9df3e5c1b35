/** Lets so many tasks run at once and so many wait; whoever comes beyond that is turned away. */

/** A gate before costly work. */
export interface Gate {
  /** Runs the task once there is room. `undefined` at once when too many wait already. */
  pass<T>(task: () => Promise<T>): Promise<T> | undefined;
}

/** An open gate. */
export function createGate({ runningMax, waitingMax }: { runningMax: number; waitingMax: number }): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function run<T>(task: () => Promise<T>): Promise<T> {
    if (running < runningMax) running += 1;
    // Whoever leaves hands his place over, so the count stays.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  return {
    pass: (task) => (running >= runningMax && waiting.length >= waitingMax ? undefined : run(task)),
  };
}
