/** Header fields as a list of names and values in turn: what Node writes fastest, and what keeps a field that comes twice. */

/** Names with their values. */
export function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) found.push([flat[index] ?? '', flat[index + 1] ?? '']);
  return found;
}

/** The fields whose name, in lower case, is to be kept. */
export function keepFields(flat: readonly string[], isKept: (name: string) => boolean): string[] {
  return flat.filter((_, index) => isKept(flat[index - (index % 2)]?.toLowerCase() ?? ''));
}
