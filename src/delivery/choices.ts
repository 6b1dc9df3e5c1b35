/** Which of some numbers add up to a sum. */

/** So many choices are looked at; beyond that nobody can say which it was anyway. */
const looksMax = 50_000;

/**
 * Up to two different choices of `units` that add up to `sum`, as places in `units`: none, the only one, or two of several.
 * `undefined` when there are too many to look at.
 */
export function choicesOf(units: readonly number[], sum: number): number[][] | undefined {
  // The largest first, because then soonest no choice among the rest can reach the sum.
  const places = units
    .map((_, place) => place)
    .sort((a, b) => Math.abs(at(units, b)) - Math.abs(at(units, a)));
  const [least, most] = [reach(units, places, Math.min), reach(units, places, Math.max)];
  const found: number[][] = [];
  const chosen: number[] = [];
  let looks = 0;

  function look(depth: number, left: number): void {
    looks += 1;
    if (looks > looksMax || found.length === 2) return;
    if (left < at(least, depth) || left > at(most, depth)) return;
    const place = places[depth];
    if (place === undefined) {
      found.push([...chosen]);
      return;
    }
    chosen.push(place);
    look(depth + 1, left - at(units, place));
    chosen.pop();
    look(depth + 1, left);
  }

  look(0, sum);
  return found.length < 2 && looks > looksMax ? undefined : found;
}

/** How far the numbers from each depth on can reach, in one direction. */
function reach(
  units: readonly number[],
  places: readonly number[],
  further: (a: number, b: number) => number,
): number[] {
  const sums = [0];
  for (const place of [...places].reverse()) sums.unshift(at(sums, 0) + further(0, at(units, place)));
  return sums;
}

function at(numbers: readonly number[], place: number): number {
  return numbers[place] ?? 0;
}
