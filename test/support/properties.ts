/** Set-up of every test file: where a change is judged, properties try the same examples each time; elsewhere they search on. */

import fc from 'fast-check';

if (process.env.CI) fc.configureGlobal({ seed: 20_261_122 });
