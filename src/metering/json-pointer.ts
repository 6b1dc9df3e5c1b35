/** A value inside a JSON document, by its pointer (RFC 6901). */

/**
 * The value; `undefined` when there is none. Only own members count, so no document reaches into prototypes, and an array has
 * nothing but its elements.
 */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    if (Array.isArray(value) && name === 'length') return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}
