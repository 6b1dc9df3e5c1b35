/** A map that forgets what was not used lately. */

/**
 * Two generations: what is read moves into the young one, and when that is full the old one is dropped. Cheaper than a
 * linked list, and holds between `sizeMax` and `2 x sizeMax` entries at the most.
 */
export interface BoundedCache<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  clear(): void;
}

/** An empty cache of at least `sizeMax` entries. */
export function createBoundedCache<K, V>(sizeMax: number): BoundedCache<K, V> {
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  function set(key: K, value: V): void {
    young.set(key, value);
    if (young.size < sizeMax) return;
    old = young;
    young = new Map();
  }
  return {
    get(key) {
      const fresh = young.get(key);
      if (fresh !== undefined) return fresh;
      const aged = old.get(key);
      if (aged !== undefined) set(key, aged);
      return aged;
    },
    set,
    clear() {
      young = new Map();
      old = new Map();
    },
  };
}
