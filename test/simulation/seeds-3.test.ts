import { simulateSeeds } from './seeds.js';

simulateSeeds(2, 4);
