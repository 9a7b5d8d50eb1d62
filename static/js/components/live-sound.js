/** Plays segments while they are made, as if they were one file already: the same samples, the same pauses. */

import { Schedule } from "./schedule.js";
import { SegmentStore, Unreachable } from "./segment-store.js";

const AGAIN_MS = 2000;

/** Events: `change` when playing, waiting or their end begins; `problem` when a sound cannot be played. */
export class LiveSound extends EventTarget {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Schedule | null} */
  #run = null;
  #place = { index: 0, offset: 0 };
  #fetching = null;
  #again = 0;

  /**
   * @param {import("./timeline.js").Timeline} timeline
   * @param {number} rate_hz of the segments
   * @param {() => boolean} more whether segments are still to come
   */
  constructor(timeline, rate_hz, more) {
    super();
    this.timeline = timeline;
    this.segments = timeline.segments;
    this.rate_hz = rate_hz;
    this.more = more;
    this.store = new SegmentStore(this.segments);
  }

  get playing() {
    return this.#run !== null;
  }

  get place() {
    return this.#run?.place() ?? this.#place;
  }

  /** Index of the segment that is waited for in silence because it is not made yet, or -1. */
  get waiting() {
    if (!this.#run?.dry) return -1;
    const { next } = this.#run;
    return this.segments[next].audio_url ? -1 : next;
  }

  /** @param {import("./timeline.js").Place} place */
  seek(place) {
    this.#place = this.#behindPause(place);
  }

  /** Called in a person's gesture: browsers let no page sound by itself. */
  play(place) {
    this.stop();
    this.seek(place);
    this.#context ??= this.#open();
    const run = new Schedule(this.#context, this.timeline.pause_s, this.#place);
    run.addEventListener("ended", () => this.look());
    run.addEventListener("silent", () => this.#run ?? this.#context.suspend());
    this.#run = run;
    this.#context.resume().then(() => this.look());
    this.#changed();
  }

  stop() {
    if (!this.#run) return;
    this.#place = this.place;
    this.#run.stop();
    this.#run = null;
    this.#changed();
  }

  /** See whether there is something to go on with; whenever something has ended or come. */
  look() {
    const run = this.#run;
    if (!run) return;
    const coming = Boolean(this.segments[run.next]) && (this.segments[run.next].audio_url || this.more());
    if (run.dry && !coming) this.stop();
    else this.#fill(run);
    this.#changed();
  }

  /** One at a time, so that they stay in order. */
  async #fill(run) {
    if (this.#fetching === run) return;
    this.#fetching = run;
    try {
      while (run === this.#run && run.hungry) {
        const piece = this.#piece(run);
        if (!piece) return;
        const sound = await piece.sound();
        if (run !== this.#run) return;
        run.put(sound, piece);
        this.#changed();
      }
    } catch (problem) {
      if (run === this.#run) this.#trouble(problem);
    } finally {
      if (this.#fetching === run) this.#fetching = null;
    }
  }

  /** What there is to go on with: a whole segment, or a chunk of the one that is being made. */
  #piece(run) {
    const { next, from } = run;
    const { audio_url, chunks = [] } = this.segments[next] ?? {};
    if (audio_url) return { start: 0, last: true, sound: () => this.store.get(next) };
    const chunk = chunks.find(({ start, end }) => start <= from && from < end);
    return chunk && { start: chunk.start, last: false, sound: () => this.store.chunk(chunk.audio_url) };
  }

  #trouble(problem) {
    clearTimeout(this.#again);
    if (problem instanceof Unreachable) {
      this.#again = setTimeout(() => this.look(), AGAIN_MS);
      return;
    }
    this.stop();
    this.dispatchEvent(new CustomEvent("problem", { detail: problem }));
  }

  /** At the files' own rate, so that nothing is resampled before the end of the graph. */
  #open() {
    // Safari: as loud as a video is, whatever the ring switch says, and not only in the foreground.
    if (navigator.audioSession) navigator.audioSession.type = "playback";
    const context = new AudioContext({ sampleRate: this.rate_hz, latencyHint: "playback" });
    // A telephone call takes the sound away.
    context.addEventListener("statechange", () => context.state === "interrupted" && this.stop());
    return context;
  }

  /** Who stopped within a pause goes on with the segment behind it. */
  #behindPause({ index, offset }) {
    const { audio_url, duration_s } = this.segments[index];
    const over = audio_url && offset >= duration_s;
    return over && this.segments[index + 1] ? { index: index + 1, offset: 0 } : { index, offset };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
