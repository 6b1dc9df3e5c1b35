/** Where simulations keep their files: in memory where the machine has such a folder, because nothing here loses power. */

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** `/dev/shm` on Linux, the folder for temporary files elsewhere. */
export function memoryFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}
