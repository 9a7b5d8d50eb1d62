/**
 * One stretch of listening: segments, or chunks of them, put one behind the other on the clock of an AudioContext, to
 * the sample.
 *
 * Times are counted in frames of the context, whole numbers, so that nothing is rounded between two segments.
 * A segment that comes too late begins as soon as it can; those behind it move with it.
 */

/** Between asking for a sound and its first sample: a scheduled moment must not have passed when it is set. */
const LEAD_S = 0.05;
const AHEAD_S = 60;
/** A wave that begins or stops in its middle clicks. */
const FADE_S = 0.01;

/** Events: `ended` when a segment has been played to its end, `silent` when all is over after `stop`. */
export class Schedule extends EventTarget {
  /**
   * `from` to `until`: frames of the segment; `last` if it ends with them.
   * @type {{index: number, from: number, until: number, last: boolean, at: number, end: number, source: AudioBufferSourceNode, over: boolean}[]}
   */
  #parts = [];
  #first;
  #gain;

  /** @param {AudioContext} context @param {number} pause_s @param {import("./timeline.js").Place} first */
  constructor(context, pause_s, first) {
    super();
    this.context = context;
    this.rate = context.sampleRate;
    this.pause = Math.round(pause_s * this.rate);
    this.#first = first;
    this.#gain = new GainNode(context);
    this.#gain.connect(context.destination);
  }

  get #now() {
    return Math.round(this.context.currentTime * this.rate);
  }

  /** Index of the segment to be put next, or to go on with. */
  get next() {
    const newest = this.#parts.at(-1);
    return newest ? newest.index + Number(newest.last) : this.#first.index;
  }

  /** The first frame that is wanted of it. */
  get from() {
    const newest = this.#parts.at(-1);
    if (newest) return newest.last ? 0 : newest.until;
    return Math.round(this.#first.offset * this.rate);
  }

  /** Everything that was put has been heard. */
  get dry() {
    return this.#parts.every(({ over }) => over);
  }

  /** A minute, and at least one segment behind the one that is heard. */
  get hungry() {
    const waiting = this.#parts.filter(({ over }) => !over);
    return waiting.length < 2 || waiting.at(-1).end - this.#now < AHEAD_S * this.rate;
  }

  /** @returns {import("./timeline.js").Place} what is heard now; a pause belongs to the segment before it */
  place() {
    if (!this.#parts.length) return this.#first;
    const now = this.#now;
    const { index, at, from, end, last } = this.#parts.findLast((part) => part.at <= now) ?? this.#parts[0];
    const most = end - at + (last ? this.pause : 0);
    return { index, offset: (from + Math.min(Math.max(0, now - at), most)) / this.rate };
  }

  /**
   * @param {AudioBuffer} buffer of the segment `next`, with frame `from` in it or at its end
   * @param {{start: number, last: boolean}} piece the buffer's first frame, and whether the segment ends with it
   */
  put(buffer, { start, last }) {
    const newest = this.#parts.at(-1);
    const { next: index } = this;
    const until = Math.max(start + Math.round(buffer.duration * this.rate), this.from);
    const from = Math.min(this.from, until);
    const soonest = this.#now + Math.ceil(LEAD_S * this.rate);
    const at = newest ? Math.max(soonest, newest.end + (newest.last ? this.pause : 0)) : soonest;
    if (newest && from === until) {
      newest.last = last; // all of it was put in chunks
      return;
    }
    const source = new AudioBufferSourceNode(this.context, { buffer });
    const part = { index, from, until, last, at, end: at + until - from, source, over: false };
    source.addEventListener("ended", () => this.#ended(part));
    source.connect(this.#gain);
    if (!newest && from) this.#fade(at / this.rate, 0, 1);
    source.start(at / this.rate, (from - start) / this.rate);
    this.#parts.push(part);
  }

  /** Fade out; nothing is put any more. */
  stop() {
    const { currentTime: now } = this.context;
    this.#fade(now, this.#gain.gain.value, 0);
    for (const { at, source, over } of this.#parts) {
      if (over) continue;
      source.stop(now + FADE_S);
      // Sources that have not begun need not announce their end.
      if (at > now * this.rate) source.disconnect();
    }
    setTimeout(() => this.#silence(), 2000 * FADE_S);
  }

  #silence() {
    for (const { source } of this.#parts) source.disconnect();
    this.#gain.disconnect();
    this.#parts = [];
    this.dispatchEvent(new Event("silent"));
  }

  #fade(at, from, to) {
    this.#gain.gain.cancelScheduledValues(at);
    this.#gain.gain.setValueAtTime(from, at);
    this.#gain.gain.linearRampToValueAtTime(to, at + FADE_S);
  }

  #ended(part) {
    part.source.disconnect();
    part.over = true;
    // The newest of those that are over stays: it says where we are until the next one begins.
    this.#parts = this.#parts.filter((one) => !one.over || one === part);
    this.dispatchEvent(new Event("ended"));
  }
}
