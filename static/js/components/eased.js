/** A number that takes a moment to get where it shall be; none if the reader wants less motion. */

const MOMENT_MS = 450;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Eased {
  #since = -Infinity;
  #from;
  #to;

  /** @param {number} value */
  constructor(value) {
    this.#from = this.#to = value;
  }

  /** @param {number} value */
  go(value) {
    if (value === this.#to) return;
    this.#from = this.value;
    this.#to = value;
    this.#since = calm.matches ? -Infinity : performance.now();
  }

  get moving() {
    return performance.now() - this.#since < MOMENT_MS;
  }

  get value() {
    const left = 1 - Math.min(1, (performance.now() - this.#since) / MOMENT_MS);
    return this.#to + (this.#from - this.#to) * left ** 3;
  }
}
