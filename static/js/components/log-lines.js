/** The lines of a log: however many arrive, the page draws once a frame and keeps a bounded number. */

import { make } from "../dom.js";
import { logTime } from "../format.js";

export const MOST_LINES = 2000;

/** @param {any} frame */
function lineOf(frame) {
  const level = frame.level ?? "INFO";
  const message = make("span", { class: "log-message" }, frame.message);
  if (frame.hint) message.append(make("span", { class: "log-hint" }, frame.hint));
  return make(
    "div",
    { class: "log-line", "data-level": level },
    make("time", {}, logTime(frame.at)),
    make("span", { class: "log-level" }, level),
    message,
  );
}

export class LogLines {
  #box;
  #drawn;
  #waiting = [];
  #levels = new Set();
  #words = "";
  #shown = 0;

  /** @param {HTMLElement} box @param {(shown: number, count: number) => void} drawn called after each change */
  constructor(box, drawn) {
    this.#box = box;
    this.#drawn = drawn;
  }

  /** @param {any} frame drawn with all others that arrive before the next picture */
  add(frame) {
    this.#waiting.push(frame);
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#draw());
    // In a hidden tab there are no pictures: what would be pushed out again is not kept.
    if (this.#waiting.length > MOST_LINES) this.#waiting.splice(0, MOST_LINES / 2);
  }

  /** All lines anew. @param {any[]} frames */
  replace(frames) {
    this.#waiting = [];
    this.#shown = 0;
    this.#box.replaceChildren();
    this.#append(frames);
  }

  /** Show only these levels, and lines with these words. @param {string[]} levels @param {string} words lower case */
  filter(levels, words) {
    this.#levels = new Set(levels);
    this.#words = words;
    this.#shown = this.#sieve([...this.#box.children]);
    this.#drawn(this.#shown, this.#box.childElementCount);
  }

  #draw() {
    this.#append(this.#waiting.splice(0));
  }

  #append(frames) {
    const lines = frames.map(lineOf);
    this.#shown += this.#sieve(lines);
    this.#box.append(...lines);
    while (this.#box.childElementCount > MOST_LINES) {
      if (!this.#box.firstElementChild.hidden) this.#shown -= 1;
      this.#box.firstElementChild.remove();
    }
    this.#drawn(this.#shown, this.#box.childElementCount);
  }

  /** Hide what the filter refuses; how many it lets through. */
  #sieve(lines) {
    let shown = 0;
    for (const line of lines) {
      const hit = !this.#words || line.textContent.toLowerCase().includes(this.#words);
      line.hidden = !hit || !this.#levels.has(line.dataset.level);
      shown += line.hidden ? 0 : 1;
    }
    return shown;
  }
}
