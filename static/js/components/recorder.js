/** Record a voice in the browser: level, timer, at most 30 seconds, listen before keeping. */

import { byId, setText } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../messages.js";

const LONGEST_S = 30;
const SHORTEST_S = 1;
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const LOUD = 0.95;
const REFUSALS = { NotAllowedError: "microphone_denied", NotFoundError: "microphone_missing" };

export class Recorder {
  /** @type {MediaRecorder | null} */
  #recorder = null;
  #began = 0;
  #parts = [];
  /** @type {Blob | null} */
  blob = null;

  /** @param {(blob: Blob | null) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.button = byId("record-toggle");
    this.preview = byId("record-preview");
    this.button.addEventListener("click", () => (this.#recorder ? this.stop() : this.start()));
  }

  async start() {
    this.#problem("");
    this.#keep(null);
    if (!window.isSecureContext || !navigator.mediaDevices) return this.#problem(t("microphone_insecure"));
    try {
      const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
      this.#begin(await navigator.mediaDevices.getUserMedia({ audio: sound }));
    } catch (problem) {
      this.#problem(t(REFUSALS[problem.name] ?? "microphone_failed"));
    }
  }

  #begin(stream) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.#recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 128_000 });
    this.#parts = [];
    this.#recorder.addEventListener("dataavailable", (event) => this.#parts.push(event.data));
    this.#recorder.addEventListener("stop", () => this.#finished(stream));
    this.#recorder.start();
    this.#began = performance.now();
    this.button.setAttribute("aria-pressed", "true");
    this.#watch(stream);
  }

  /** Level and time, until the recording stops. */
  #watch(stream) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const meter = byId("record-level");
    const look = () => {
      if (!this.#recorder) return context.close();
      analyser.getFloatTimeDomainData(samples);
      const peak = samples.reduce((top, sample) => Math.max(top, Math.abs(sample)), 0);
      meter.style.setProperty("--level", String(Math.min(1, Math.sqrt(peak))));
      meter.dataset.loud = String(peak > LOUD);
      setText(byId("record-time"), `${clock(Math.floor(this.#elapsed()))} / ${clock(LONGEST_S)}`);
      if (this.#elapsed() >= LONGEST_S - 0.2) return this.stop();
      requestAnimationFrame(look);
    };
    look();
  }

  #elapsed() {
    return (performance.now() - this.#began) / 1000;
  }

  stop() {
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  #finished(stream) {
    const long = this.#elapsed();
    const type = this.#recorder.mimeType;
    this.#recorder = null;
    for (const track of stream.getTracks()) track.stop();
    this.button.setAttribute("aria-pressed", "false");
    byId("record-level").style.setProperty("--level", "0");
    if (long < SHORTEST_S) return this.#problem(t("recording_too_short"));
    this.#keep(new Blob(this.#parts, { type }));
  }

  #keep(blob) {
    this.blob = blob;
    this.preview.hidden = !blob;
    URL.revokeObjectURL(this.preview.src);
    if (blob) this.preview.src = URL.createObjectURL(blob);
    this.changed(blob);
  }

  reset() {
    this.stop();
    this.#keep(null);
    setText(byId("record-time"), clock(0));
  }

  #problem(text) {
    setText(byId("record-problem"), text);
    byId("record-problem").hidden = !text;
  }
}
