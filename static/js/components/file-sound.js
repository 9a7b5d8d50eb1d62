/** Plays a job's finished file: streamed, so that an hour of sound needs no more memory than a minute. */

/** Events: `change` when playing begins or stops; `problem` when the browser cannot play the file. */
export class FileSound extends EventTarget {
  #audio = new Audio();
  #url = "";
  #wanted = false;

  waiting = -1;

  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    super();
    this.timeline = timeline;
    this.#audio.preload = "none";
    this.#audio.addEventListener("ended", () => this.stop());
    // Told a moment later, when playing may have begun again.
    this.#audio.addEventListener("pause", () => this.#audio.paused && this.stop());
    this.#audio.addEventListener("error", () => this.#fail());
  }

  get playing() {
    return this.#wanted;
  }

  get place() {
    return this.timeline.place(this.#audio.currentTime);
  }

  /** @param {string} url played from the next start on */
  open(url) {
    this.#url = url;
  }

  /** @param {import("./timeline.js").Place} place */
  seek(place) {
    if (this.#audio.getAttribute("src") !== this.#url) this.#audio.src = this.#url;
    this.#audio.currentTime = this.timeline.seconds(place);
  }

  async play(place) {
    this.#wanted = true;
    this.seek(place);
    this.#changed();
    try {
      await this.#audio.play();
    } catch (problem) {
      // An AbortError says that somebody has pressed pause before the first sound came.
      if (problem.name !== "AbortError") this.#fail();
    }
  }

  stop() {
    this.#audio.pause();
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#changed();
  }

  /** Told twice, as an event and by play(), when a file cannot even be begun. */
  #fail() {
    if (!this.#wanted) return;
    this.stop();
    this.dispatchEvent(new Event("problem"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
