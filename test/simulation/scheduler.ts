/**
 * The one thread on which everything happens. Every call that the services await is parked here in two halves, before its
 * effect and before its result comes back, and the dice choose which half of which call is next. Between any two of them a
 * process may die.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { Dice } from './dice.js';

/** A process: once it has ended nothing of it goes on. */
export interface Life {
  name: string;
  ended: boolean;
}

/** `send`: a request that has left the process and may be held up on its way. `step`: anything else. */
type Kind = 'step' | 'send';

interface Point {
  life: Life;
  name: string;
  kind: Kind;
  stage: 'ready' | 'held' | 'done';
  run(): Promise<void>;
  deliver(): void;
  /** Lets a held request go on, and resolves when it has been answered. */
  release(): Promise<void>;
}

/** Parks, chooses and performs. */
export interface Scheduler {
  /** Runs `run` when its turn comes, and settles as it did when that turn comes. Neither ever comes after the life ended. */
  park<T>(life: Life, name: string, kind: Kind, run: () => Promise<T>): Promise<T>;
  /** What the server calls to hold up the request that it is working on. Resolves when the dice let it go on. */
  hold(): Promise<void>;
  /** Moves one parked call on. False when there is none. */
  advance(): Promise<boolean>;
  /** Moves every call on until nothing is parked. */
  settle(): Promise<void>;
  /** Lets every request that is under way arrive. */
  settleRequests(): Promise<void>;
  /** Whether anything is parked. */
  pending(): boolean;
  /** Lets run what waits for nothing that is parked. */
  turn(): Promise<void>;
  /** The process dies now. What it had sent may arrive all the same. */
  end(life: Life): Promise<void>;
  /** Whether the process of that name has died. */
  hasEnded(name: string): boolean;
}

/** Which share of calls gets its result in the moment of its effect: the rest lets others come in between. */
const atOnceShare = 0.6;

/** Makes a scheduler; `trace` is told every step. */
export function createScheduler(dice: Dice, trace: (step: string) => void): Scheduler {
  let points: Point[] = [];
  const ended = new Set<string>();
  let holding: ((release: () => void) => void) | undefined;

  function park<T>(life: Life, name: string, kind: Kind, run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (life.ended) return;
      const point: Point = {
        ...{ life, name, kind, stage: 'ready' },
        async run() {
          try {
            const value = await run();
            point.deliver = () => resolve(value);
          } catch (error) {
            point.deliver = () => reject(error);
          }
        },
        deliver: () => undefined,
        release: async () => undefined,
      };
      points.push(point);
    });
  }

  async function perform(point: Point): Promise<void> {
    trace(`${point.life.name} ${point.name}`);
    const answered = point.run();
    const held = new Promise<() => void>((resolve) => {
      holding = resolve;
    });
    const release = await Promise.race([answered.then(() => undefined), held]);
    holding = undefined;
    point.stage = release ? 'held' : 'done';
    point.release = async () => {
      release?.();
      await answered;
      point.stage = 'done';
    };
  }

  async function deliver(point: Point): Promise<void> {
    points = points.filter((other) => other !== point);
    if (!point.life.ended) point.deliver();
    // Whatever follows without waiting for anything that is parked has happened after one turn of the event loop.
    await turn();
  }

  async function move(point: Point): Promise<void> {
    if (point.stage === 'done') {
      trace(`${point.life.name} ${point.name} returns`);
      return deliver(point);
    }
    if (point.stage === 'ready') await perform(point);
    else {
      trace(`${point.life.name} ${point.name} goes on`);
      await point.release();
    }
    if (isDone(point) && (point.life.ended || dice.chance(atOnceShare))) await deliver(point);
  }

  async function settleRequests(): Promise<void> {
    for (const point of points.filter((each) => each.kind === 'send')) {
      if (point.stage === 'ready') await perform(point);
      if (point.stage === 'held') await point.release();
      if (point.life.ended) await deliver(point);
    }
  }

  return {
    park,
    hold: () => new Promise((release) => (holding ? holding(release) : release())),
    async advance() {
      if (points.length === 0) return false;
      await move(dice.pick(points));
      return true;
    },
    async settle() {
      while (points.length > 0) await move(dice.pick(points));
    },
    settleRequests,
    pending: () => points.length > 0,
    turn: () => turn(),
    async end(life) {
      life.ended = true;
      ended.add(life.name);
      points = points.filter(
        (point) =>
          point.life !== life ||
          point.stage === 'held' ||
          (point.kind === 'send' && point.stage === 'ready' && dice.chance(0.5)),
      );
    },
    hasEnded: (name) => ended.has(name),
  };
}

/** Asked anew: the stage changes while a call is performed. */
function isDone(point: Point): boolean {
  return point.stage === 'done';
}
