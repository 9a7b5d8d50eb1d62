/** Where each segment stands in the sound of the whole job: one after the other, with equal pauses between. */

/** @typedef {{index: number, offset: number}} Place a segment, and seconds since its beginning */

export class Timeline {
  /** @param {any[]} segments of a JobState, filled in place as they are made @param {number} pause_s */
  constructor(segments, pause_s) {
    this.segments = segments;
    this.pause_s = pause_s;
  }

  /** Seconds at which each segment begins; what is not made yet takes no time. */
  starts() {
    let at = 0;
    return this.segments.map(({ duration_s }) => {
      const start = at;
      if (duration_s != null) at += duration_s + this.pause_s;
      return start;
    });
  }

  /** Seconds that have been made so far; in the end, as long as the file. */
  get length() {
    const made = this.segments.filter(({ duration_s }) => duration_s != null);
    const spoken = made.reduce((sum, { duration_s }) => sum + duration_s, 0);
    return spoken + this.pause_s * Math.max(0, made.length - 1);
  }

  /** @param {Place} place */
  seconds({ index, offset }) {
    return Math.min(this.length, (this.starts()[index] ?? 0) + offset);
  }

  /** @param {number} seconds @returns {Place} the pause behind a segment counts as its end */
  place(seconds) {
    const starts = this.starts();
    const index = starts.findLastIndex((start, at) => start <= seconds + 1e-6 && this.segments[at].duration_s != null);
    return index < 0 ? { index: 0, offset: 0 } : { index, offset: Math.max(0, seconds - starts[index]) };
  }
}
