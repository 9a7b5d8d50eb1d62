/**
 * What a job sounds like, made or in the making.
 *
 * Segments sound one behind the other while they arrive (LiveSound). A finished file is played by itself (FileSound)
 * from the next start on: both are the same samples on the same timeline, so what is heard is never interrupted.
 */

import { FileSound } from "./file-sound.js";
import { LiveSound } from "./live-sound.js";
import { startSound } from "./sound.js";
import { Timeline } from "./timeline.js";

const END_S = 0.05;

/** Events: `change` when playing or waiting begins or stops, `problem` when nothing can be played. */
export class Playlist extends EventTarget {
  #live;
  #file;
  /** @type {LiveSound | FileSound} what is played, or was last */
  #sound;
  #finished = false;
  #pause = () => this.pause();

  /**
   * @param {any[]} segments of a JobState, filled in place as they are made
   * @param {{pause_s: number, sample_rate_hz: number}} form
   * @param {() => boolean} more whether segments are still to come
   */
  constructor(segments, { pause_s, sample_rate_hz }, more) {
    super();
    this.segments = segments;
    this.more = more;
    this.timeline = new Timeline(segments, pause_s);
    this.#live = new LiveSound(this.timeline, sample_rate_hz, more);
    this.#file = new FileSound(this.timeline);
    this.#sound = this.#live;
    for (const sound of [this.#live, this.#file]) sound.addEventListener("change", () => this.#changed());
    this.#live.addEventListener("problem", () => this.dispatchEvent(new Event("problem")));
    this.#file.addEventListener("problem", () => this.#withoutFile());
  }

  get playing() {
    return this.#sound.playing;
  }

  get waiting() {
    return this.#sound.waiting;
  }

  get ready() {
    return this.#finished || Boolean(this.segments[0]?.audio_url || this.segments[0]?.chunks.length);
  }

  /** @returns {import("./timeline.js").Place} */
  get place() {
    return this.#sound.place;
  }

  get seconds() {
    return this.timeline.seconds(this.place);
  }

  get length() {
    return this.timeline.length;
  }

  /** From now on there is one file with everything. What is heard goes on undisturbed until it stops. */
  finish(url) {
    this.#finished = true;
    this.#file.open(url);
  }

  /** A segment has been made, perhaps not for the first time. */
  arrived(index) {
    this.#live.store.forget(index);
  }

  /** The job has changed: what is waited for may be there, or never come. */
  look() {
    this.#live.look();
  }

  toggle() {
    if (this.playing) return this.pause();
    const atEnd = this.seconds >= this.length - END_S && !this.more();
    this.play(atEnd ? { index: 0, offset: 0 } : this.place);
  }

  pause() {
    this.#sound.stop();
  }

  /** @param {import("./timeline.js").Place} place */
  play(place) {
    startSound(this.#pause);
    this.#choose();
    this.#sound.play(place);
  }

  /** Playing goes on there, and who has paused stays paused. */
  seek(place) {
    if (this.playing) return this.play(place);
    this.#choose();
    this.#sound.seek(place);
    this.#changed();
  }

  #choose() {
    const chosen = this.#finished ? this.#file : this.#live;
    if (chosen !== this.#sound) this.#sound.stop();
    this.#sound = chosen;
  }

  /** Not every browser plays every format; the segments are WAV. */
  #withoutFile() {
    const { place } = this;
    this.#finished = false;
    this.play(place);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
