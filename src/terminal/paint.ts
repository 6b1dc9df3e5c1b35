/** Colours; the one home of chalk. */

import { Chalk, type ChalkInstance } from 'chalk';
import type { Screen } from './terminal.js';

/** Colours by meaning, so that every command says the same thing in the same colour. */
export interface Paint {
  strong: ChalkInstance;
  faint: ChalkInstance;
  good: ChalkInstance;
  warning: ChalkInstance;
  bad: ChalkInstance;
  /** Something to type or to follow: a command, a URL. */
  link: ChalkInstance;
}

/** The colours of a screen; without colour they leave text as it is. The 16 basic colours follow the person's own theme. */
export function createPaint(screen: Pick<Screen, 'color'>): Paint {
  const chalk = new Chalk({ level: screen.color ? 1 : 0 });
  return {
    strong: chalk.bold,
    faint: chalk.dim,
    good: chalk.green,
    warning: chalk.yellow,
    bad: chalk.red,
    link: chalk.cyan,
  };
}

/** The colour of a status, wherever one is shown: works, asks for attention, does not work. */
export function paintStatus(paint: Paint, status: string): string {
  if (['active', 'trialing', 'delivered', 'new', 'applied'].includes(status)) return paint.good(status);
  if (
    ['past_due', 'pending', 'claimed', 'open', 'uncertain', 'repeat', 'received', 'closing'].includes(status)
  )
    return paint.warning(status);
  return paint.bad(status);
}
