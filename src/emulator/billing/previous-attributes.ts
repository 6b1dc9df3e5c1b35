/** What `*.updated` events tell about the object before. */

/** The top-level fields of `before` whose value differs in `after`, compared as JSON. Undefined when none does. */
export function previousAttributes<Document extends object>(
  before: Document,
  after: Document,
): Partial<Document> | undefined {
  const names = Object.keys(after) as (keyof Document)[];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  if (changed.length === 0) return undefined;
  // Built from keys of Document with the values they have there.
  return Object.fromEntries(changed.map((name) => [name, before[name] ?? null])) as Partial<Document>;
}
