/** The waveform of a job: every segment has its place from the start, and fills when it is ready. */

import { Eased } from "./eased.js";
import { heightOf } from "./mini-wave.js";

const BAR = 2;
const STEP = 3.5;

function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["wave", "wave-rest", "accent", "running"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

export class Waveform {
  /** What is drawn of each segment: its peaks, and how far they have grown. @type {{peaks: number[], grown: Eased}[]} */
  #shown;
  /** The peak that fills the whole height. */
  #top;
  #frame = 0;

  /** @param {HTMLElement} element @param {any[]} segments @param {() => {index: number, offset: number}} where */
  constructor(element, segments, where) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.segments = segments;
    this.where = where;
    this.making = -1;
    this.colours = colours();
    this.#shown = segments.map(({ peaks }) => ({ peaks, grown: new Eased(peaks.length ? 1 : 0) }));
    this.#top = new Eased(this.#highest());
    const repaint = () => {
      this.colours = colours();
      this.draw();
    };
    addEventListener("themechange", repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(repaint));
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /** A segment has been made: it grows in its place, and the others, if it is the loudest, shrink as slowly. */
  arrived(index) {
    const grown = new Eased(0);
    grown.go(1);
    this.#shown[index] = { peaks: this.segments[index].peaks, grown };
    this.#top.go(this.#highest());
    this.draw();
  }

  #highest() {
    return this.#shown.reduce((top, { peaks }) => Math.max(top, ...peaks), 1);
  }

  /** Widths by length of text: they are known before any sound, so nothing moves when it arrives. */
  slots(width) {
    const gap = this.segments.length > 24 ? 0 : 4;
    const chars = this.segments.reduce((sum, { text }) => sum + text.length, 0) || 1;
    const room = width - gap * (this.segments.length - 1);
    let x = 0;
    return this.segments.map(({ text }) => {
      const slot = { x, width: (room * text.length) / chars };
      x += slot.width + gap;
      return slot;
    });
  }

  /** @param {number} x @returns {{index: number, share: number}} the segment under it */
  at(x) {
    const slots = this.slots(this.element.clientWidth);
    let index = slots.findLastIndex((slot) => slot.x <= x);
    index = Math.max(0, index);
    return { index, share: Math.min(1, (x - slots[index].x) / slots[index].width) };
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio)) this.canvas.width = Math.round(width * ratio);
    if (this.canvas.height !== Math.round(height * ratio)) this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const place = this.where();
    this.slots(width).forEach((slot, index) => this.#segment(context, slot, index, place, height));
    cancelAnimationFrame(this.#frame);
    const moving = this.#top.moving || this.#shown.some(({ grown }) => grown.moving);
    if (moving) this.#frame = requestAnimationFrame(() => this.draw());
  }

  /** Bars stand on one grid for the whole width, so that short segments look no different from long ones. */
  #segment(context, slot, index, place, height) {
    const { peaks, grown } = this.#shown[index];
    const { duration_s } = this.segments[index];
    const full = grown.value;
    const top = this.#top.value;
    const heard = index < place.index ? 1 : index > place.index ? 0 : place.offset / (duration_s || Infinity);
    const share = (x) => Math.min(0.999, Math.max(0, (x - slot.x) / slot.width));
    const bar = (x, size, name, alpha) => {
      context.fillStyle = this.colours[name];
      context.globalAlpha = alpha;
      context.fillRect(x, (height - size) / 2, BAR, size);
    };
    for (let x = Math.ceil(slot.x / STEP) * STEP; x + BAR <= slot.x + slot.width + 0.5; x += STEP) {
      if (full < 1) bar(x, BAR, index === this.making ? "running" : "wave-rest", 1 - full);
      if (!full) continue;
      const size = Math.max(BAR, height * heightOf(peaks, share(x), share(x + STEP), top));
      const spoken = share(x + BAR / 2) < heard;
      bar(x, BAR + (size - BAR) * full, spoken ? "accent" : "wave", (spoken ? 1 : 0.6) * full);
    }
    context.globalAlpha = 1;
  }
}
