import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Runs what takes too long for the tests, and lets it tell what it does. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/torture/*.torture.ts'], disableConsoleIntercept: true, reporters: ['default'] },
});
