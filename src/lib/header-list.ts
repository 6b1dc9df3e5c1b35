/** Header fields as a list of names and values in turn: what Node writes fastest, and what keeps a field that comes twice. */

/** Names with their values. */
export function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) found.push([flat[index] ?? '', flat[index + 1] ?? '']);
  return found;
}
