/** A queue by time: what is added comes out earliest first, and in the order added where times are equal. */

/** A binary heap of things that have a time. */
export interface Agenda<Entry> {
  add(entry: Entry): void;
  /** Takes the earliest out. */
  next(): Entry | undefined;
}

/** Makes an empty one. */
export function createAgenda<Entry extends { atSec: number }>(): Agenda<Entry> {
  const heap: { entry: Entry; order: number }[] = [];
  let added = 0;

  function isBefore(left: number, right: number): boolean {
    const a = heap[left];
    const b = heap[right];
    if (!a || !b) return a !== undefined;
    return a.entry.atSec - b.entry.atSec < 0 || (a.entry.atSec === b.entry.atSec && a.order < b.order);
  }

  function swap(left: number, right: number): void {
    const a = heap[left];
    const b = heap[right];
    if (a && b) {
      heap[left] = b;
      heap[right] = a;
    }
  }

  return {
    add(entry) {
      heap.push({ entry, order: added });
      added += 1;
      let at = heap.length - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!isBefore(at, parent)) break;
        swap(at, parent);
        at = parent;
      }
    },
    next() {
      swap(0, heap.length - 1);
      const first = heap.pop();
      let at = 0;
      for (;;) {
        const child = isBefore(2 * at + 2, 2 * at + 1) ? 2 * at + 2 : 2 * at + 1;
        if (child >= heap.length || !isBefore(child, at)) break;
        swap(at, child);
        at = child;
      }
      return first?.entry;
    },
  };
}
