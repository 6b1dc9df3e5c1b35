/** Finds what somebody probably meant; the one home of leven. */

import leven from 'leven';

/** The candidate nearest to `word`, unless all are too far away to be a slip of the fingers. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const distanceMax = Math.max(2, Math.floor(word.length / 3));
  const near = candidates
    .map((candidate) => ({ candidate, distance: leven(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate;
}
