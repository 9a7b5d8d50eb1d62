/** What the page knows of its job: the server's state at first, then changed by one frame after the other. */

import { StageClock } from "./stages.js";

const QUIET = ["progress", "segment", "chunk"];

/** Whether a frame is shown in the log. */
export const isLogLine = (frame) => Boolean(frame.message) && !QUIET.includes(frame.kind);

/** Event `change` (detail: the frame) after each frame. */
export class JobState extends EventTarget {
  /** @param {any} first the JSON in the page */
  constructor(first) {
    super();
    Object.assign(this, first);
    this.clock = new StageClock(first.stage_times);
    this.heardAt = Date.now();
    this.message = "";
  }

  hear(frame) {
    this.status = frame.status;
    this.clock.hear(frame);
    this[`_${frame.kind}`]?.(frame);
    this.dispatchEvent(new CustomEvent("change", { detail: frame }));
  }

  /** The queue's own news: places change without anything happening to this job. */
  place({ position, eta_s }) {
    this.position = position;
    this.starts_in_s = eta_s;
    this.dispatchEvent(new CustomEvent("change", { detail: { kind: "place" } }));
  }

  _queued(frame) {
    this.position = frame.position;
    this.starts_in_s = frame.eta_s;
  }

  _requeued() {
    this.eta_s = null;
    this.position = null;
    this.#settle("resume");
  }

  _progress(frame) {
    const { stage, step, total, progress, eta_s, message } = frame;
    Object.assign(this, { stage, step, total, progress, eta_s, message, heardAt: Date.now() });
  }

  /** Samples of a segment that is still being made. One that begins again begins with sample 0. */
  _chunk({ chunk }) {
    const segment = this.segments[chunk.index];
    segment.chunks = chunk.start === 0 ? [chunk] : [...segment.chunks, chunk];
    // The page may have been made with samples that are told of only now.
    const before = Math.round((segment.peaks.length * chunk.start) / (segment.duration_s * this.sample_rate_hz || 1));
    segment.peaks = [...segment.peaks.slice(0, before), ...chunk.peaks];
    segment.duration_s = chunk.end / this.sample_rate_hz;
  }

  _segment({ segment }) {
    Object.assign(this.segments[segment.index], segment, { chunks: [] });
    this.segments_done = this.segments.filter((one) => one.audio_url).length;
  }

  /** The old audio is gone; the new one comes as a `segment`. In a new version it never was there. */
  _redo({ redo: { index, text, speed } }) {
    Object.assign(this.segments[index], { text, speed, odd: null, audio_url: null, duration_s: null, peaks: [], chunks: [] });
    this.segments_done = this.segments.filter((one) => one.audio_url).length;
  }

  _control({ control }) {
    if (control.state === "asked") return this.controls.push(control);
    const open = this.controls.find((one) => one.command === control.command && one.state === "asked");
    if (open) Object.assign(open, control);
    else this.controls.push(control);
  }

  _paused() {
    this.eta_s = null;
    this.#settle("pause");
  }

  _completed(frame) {
    Object.assign(this, { progress: 1, output_url: frame.output_url, duration_s: frame.duration_s, eta_s: null });
  }

  _failed(frame) {
    Object.assign(this, { failure: frame, eta_s: null });
  }

  _cancelled() {
    this.eta_s = null;
    this.#settle("cancel");
  }

  /** Pause, resume and cancel are applied by the change of status itself. */
  #settle(command) {
    for (const one of this.controls) {
      if (one.command === command && one.state === "asked") one.state = "applied";
    }
  }
}
