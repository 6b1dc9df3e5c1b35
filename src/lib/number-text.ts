/** Text in which numbers change while the words around them stay. */

const zero = '0'.charCodeAt(0);

/**
 * Keeps the text as bytes, and writes anew only the digits of numbers that are others than last time. A string that is joined
 * every time must be put together by whoever reads it first: in all that takes twice as long.
 */
export class NumberText {
  readonly #words: readonly string[];
  #numbers: number[] = [];
  /** Where each number ends in the bytes. */
  #ends: number[] = [];
  #bytes = Buffer.alloc(0);
  #text: string;

  /** Words in Latin-1: one before each number, and one behind the last. */
  constructor(words: readonly string[]) {
    this.#words = words;
    this.#text = words[0] ?? '';
  }

  /** The text with these numbers: whole, zero or above, as many every time. */
  with(numbers: readonly number[]): string {
    if (this.#numbers.length !== numbers.length) return this.#layOut(numbers);
    let isSame = true;
    for (let index = 0; index < numbers.length; index += 1) {
      const number = numbers[index] ?? 0;
      if (number === this.#numbers[index]) continue;
      isSame = false;
      if (!this.#write(index, number)) return this.#layOut(numbers);
    }
    if (!isSame) this.#text = this.#bytes.toString('latin1');
    return this.#text;
  }

  /** Writes those digits of a number that change. Returns false if it has more or fewer of them than before. */
  #write(index: number, number: number): boolean {
    let at = this.#ends[index] ?? 0;
    let before = this.#numbers[index] ?? 0;
    let rest = number;
    do {
      at -= 1;
      const tens = Math.floor(rest / 10);
      this.#bytes[at] = zero + rest - tens * 10;
      rest = tens;
      before = Math.floor(before / 10);
    } while (rest !== before && rest > 0 && before > 0);
    this.#numbers[index] = number;
    return rest === before;
  }

  #layOut(numbers: readonly number[]): string {
    const ends: number[] = [];
    let text = this.#words[0] ?? '';
    numbers.forEach((number, index) => {
      text += number;
      ends.push(text.length);
      text += this.#words[index + 1] ?? '';
    });
    this.#numbers = [...numbers];
    this.#ends = ends;
    this.#bytes = Buffer.from(text, 'latin1');
    this.#text = text;
    return text;
  }
}
