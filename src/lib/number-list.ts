/** Numbers by whole numbers, as a store numbers its rows: a million of them take 8 MB, and none is looked for. */

const lengthMin = 1024;

/** Every number is 0 until it is set. Those that they are kept by must begin near 0 and have no large gaps. */
export class NumberList {
  #numbers = new Float64Array(lengthMin);

  at(no: number): number {
    return this.#numbers[no] ?? 0;
  }

  set(no: number, value: number): void {
    if (no >= this.#numbers.length) {
      const larger = new Float64Array(Math.max(no + 1, this.#numbers.length * 2));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[no] = value;
  }
}
