/**
 * Which element shows which row of a long list, where elements are used again. While rows stay in sight, theirs
 * move with them; a leap leaves every element where it is and changes only what it says.
 */
export class Slots {
  #base = 0;
  #before = 0;

  /** The slots of `size` rows from `first` on. */
  from(first: number, size: number): (at: number) => number {
    const leap = first - this.#before;
    if (Math.abs(leap) >= size) this.#base += leap;
    this.#before = first;
    const base = this.#base;
    return (at) => (((at - base) % size) + size) % size;
  }
}
