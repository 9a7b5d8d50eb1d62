/** Plays a job's segments one after the other while it runs, and its file when there is one. */

import { stopSound } from "./sound.js";

/**
 * A place is {index, offset}: a segment and the seconds within it.
 * Events: `change` when playing starts or stops, `move` while the place moves.
 */
export class Playlist extends EventTarget {
  #audio = new Audio();
  #next = new Audio();
  #file = null;
  #whole = false;
  #index = 0;
  #wanted = false;

  /** @param {{audio_url: string | null, duration_s: number | null}[]} segments filled in place as they finish */
  constructor(segments) {
    super();
    this.segments = segments;
    this.#audio.addEventListener("ended", () => this.#ended());
    this.#audio.addEventListener("pause", () => this.#audio.ended || this.#changed());
    this.#audio.addEventListener("timeupdate", () => this.dispatchEvent(new Event("move")));
  }

  get playing() {
    return this.#wanted;
  }

  get ready() {
    return Boolean(this.#file ?? this.segments[0]?.audio_url);
  }

  /** From now on there is one file with everything. What is heard goes on undisturbed until it stops. */
  finish(url, duration_s) {
    this.#file = { url, duration_s };
  }

  /** Seconds at which each segment begins; the file has equal silences between them. */
  starts() {
    const lengths = this.segments.map((segment) => segment.duration_s ?? 0);
    const spoken = lengths.reduce((sum, length) => sum + length, 0);
    const gaps = lengths.length - 1;
    const gap = this.#file && gaps ? Math.max(0, (this.#file.duration_s - spoken) / gaps) : 0;
    let at = 0;
    return lengths.map((length) => (at += length + gap) - length - gap);
  }

  where() {
    if (!this.#whole) return { index: this.#index, offset: this.#audio.currentTime || 0 };
    const starts = this.starts();
    const now = this.#audio.currentTime;
    let index = starts.findLastIndex((start) => start <= now + 1e-3);
    index = Math.max(0, index);
    return { index, offset: now - starts[index] };
  }

  get seconds() {
    const { index, offset } = this.where();
    return (this.starts()[index] ?? 0) + offset;
  }

  get length() {
    return this.#file?.duration_s ?? this.segments.reduce((sum, { duration_s }) => sum + (duration_s ?? 0), 0);
  }

  toggle() {
    if (this.#wanted) return this.pause();
    const { index, offset } = this.where();
    const atEnd = this.#audio.ended && index >= this.segments.length - 1;
    this.play(atEnd ? 0 : index, atEnd ? 0 : offset);
  }

  pause() {
    this.#wanted = false;
    this.#audio.pause();
    this.#changed();
  }

  /** @param {number} index @param {number} [offset] */
  async play(index, offset = 0) {
    stopSound();
    this.#wanted = true;
    this.#load(index, offset);
    this.#changed();
    await this.#start();
  }

  /** A segment has arrived: it may be the one that is waited for. */
  arrived() {
    const waiting = this.#wanted && !this.#whole && this.#audio.ended;
    if (waiting && this.segments[this.#index + 1]?.audio_url) this.play(this.#index + 1);
    this.#changed();
  }

  #load(index, offset) {
    this.#whole = this.#file !== null;
    this.#index = index;
    const url = this.#whole ? this.#file.url : this.segments[index].audio_url;
    if (this.#audio.getAttribute("src") !== url) this.#audio.src = url;
    this.#audio.currentTime = this.#whole ? this.starts()[index] + offset : offset;
    const after = this.#whole ? null : this.segments[index + 1]?.audio_url;
    if (after) this.#next.src = after;
  }

  async #start() {
    try {
      await this.#audio.play();
    } catch (problem) {
      if (problem.name !== "AbortError") this.pause();
    }
  }

  #ended() {
    const next = this.#index + 1;
    if (!this.#whole && this.segments[next]?.audio_url) return this.play(next);
    // The rest may still be in the making: then `arrived` goes on.
    if (this.#whole || next >= this.segments.length) this.#wanted = false;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
