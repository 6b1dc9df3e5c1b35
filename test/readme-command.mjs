/** Prints one of the README's two opening commands, `demo` or `test`, so that CI runs just what a person is told to type. */

import { readFileSync } from 'node:fs';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [demo, test] = [...readme.matchAll(/^```sh\n([^\n]+)\n```$/gm)].map((match) => match[1]);
const command = { demo, test }[process.argv[2] ?? ''];
if (!command)
  throw new Error('README.md must open with the command of the demo and the command of the tests.');
console.log(command);
