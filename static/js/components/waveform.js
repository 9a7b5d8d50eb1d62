/** The waveform of a job: every segment has its place from the start, and fills when it is ready. */

import { heightOf } from "./mini-wave.js";

const BAR = 2;
const STEP = 3.5;

function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["wave", "wave-rest", "accent", "running"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

export class Waveform {
  /** @param {HTMLElement} element @param {any[]} segments @param {() => {index: number, offset: number}} where */
  constructor(element, segments, where) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.segments = segments;
    this.where = where;
    this.making = -1;
    this.colours = colours();
    const repaint = () => {
      this.colours = colours();
      this.draw();
    };
    addEventListener("themechange", repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(repaint));
    new ResizeObserver(() => this.draw()).observe(element);
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
    const top = Math.max(1, ...this.segments.map(({ peaks }) => Math.max(...peaks, 0)));
    this.slots(width).forEach((slot, index) => this.#segment(context, slot, index, place, top, height));
  }

  /** Bars stand on one grid for the whole width, so that short segments look no different from long ones. */
  #segment(context, slot, index, place, top, height) {
    const { peaks, duration_s, audio_url } = this.segments[index];
    const heard = index < place.index ? 1 : index > place.index ? 0 : place.offset / (duration_s || Infinity);
    const share = (x) => Math.min(0.999, Math.max(0, (x - slot.x) / slot.width));
    for (let x = Math.ceil(slot.x / STEP) * STEP; x + BAR <= slot.x + slot.width + 0.5; x += STEP) {
      const size = audio_url ? Math.max(BAR, height * heightOf(peaks, share(x), share(x + STEP), top)) : BAR;
      const spoken = share(x + BAR / 2) < heard;
      const name = !audio_url ? (index === this.making ? "running" : "wave-rest") : spoken ? "accent" : "wave";
      context.fillStyle = this.colours[name];
      context.globalAlpha = audio_url && !spoken ? 0.6 : 1;
      context.fillRect(x, (height - size) / 2, BAR, size);
    }
    context.globalAlpha = 1;
  }
}
