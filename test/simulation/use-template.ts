/** The template that all simulations of one test file start from, in a folder that goes with them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { memoryFolder } from './memory-folder.js';
import { createTemplate, type Template } from './template.js';

/** Both are there once a test runs. */
export function useTemplate(): { folder: string; template: Template } {
  // The rest is there before the first test.
  const made = { folder: '' } as { folder: string; template: Template };
  beforeAll(async () => {
    made.folder = mkdtempSync(join(memoryFolder(), 'meterctl-simulation-'));
    made.template = await createTemplate(made.folder);
  });
  afterAll(() => rmSync(made.folder, { recursive: true, force: true }));
  return made;
}
