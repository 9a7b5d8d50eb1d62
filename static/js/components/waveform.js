/** The waveform of a job: every segment has its place from the start, and fills when it is ready, or as it is made. */

import { Eased } from "./eased.js";
import { heightOf } from "./mini-wave.js";

const BAR = 2;
const STEP = 3.5;
/** How long a character takes to say, before there is a finished segment to tell. */
const HAN_S = 0.22;
const OTHER_S = 0.065;

function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["wave", "wave-rest", "accent", "running"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

export class Waveform {
  /**
   * What is drawn of each segment: its peaks, how high they have grown, how many fill its place, and whether more of
   * them are to come. @type {{peaks: number[], grown: Eased, room: Eased, open: boolean}[]}
   */
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
    this.#shown = segments.map((segment) => ({
      peaks: segment.peaks,
      grown: new Eased(segment.peaks.length ? 1 : 0),
      room: new Eased(this.#room(segment)),
      open: !segment.audio_url && segment.peaks.length > 0,
    }));
    this.#top = new Eased(this.#highest());
    const repaint = () => {
      this.colours = colours();
      this.draw();
    };
    addEventListener("themechange", repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(repaint));
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /**
   * A segment has been made, or more of it: it grows in its place, and the others, if it is the loudest, shrink as
   * slowly. @param {number} index @param {boolean} begins whether nothing of what is there now was shown before
   */
  arrived(index, begins = !this.#shown[index].open) {
    const segment = this.segments[index];
    const shown = this.#shown[index];
    const room = this.#room(segment);
    if (begins) Object.assign(shown, { grown: new Eased(0), room: new Eased(room) });
    shown.grown.go(1);
    shown.room.go(room);
    Object.assign(shown, { peaks: segment.peaks, open: !segment.audio_url });
    this.#top.go(this.#highest());
    this.draw();
  }

  /** How many peaks a segment will have: as it says, or as its text takes to say at the pace of the finished ones. */
  #room({ text, peaks, audio_url, duration_s }) {
    if (audio_url || !peaks.length) return peaks.length;
    const finished = this.segments.filter((one) => one.audio_url);
    const spoken = finished.reduce((chars, one) => chars + one.text.length, 0);
    const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
    const guess_s = spoken
      ? (text.length * finished.reduce((seconds, one) => seconds + one.duration_s, 0)) / spoken
      : han * HAN_S + (text.length - han) * OTHER_S;
    return peaks.length * Math.max(1, guess_s / duration_s);
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
    const moving = this.#top.moving || this.#shown.some(({ grown, room }) => grown.moving || room.moving);
    if (moving) this.#frame = requestAnimationFrame(() => this.draw());
  }

  /** Bars stand on one grid for the whole width, so that short segments look no different from long ones. */
  #segment(context, slot, index, place, height) {
    const { peaks, grown, room } = this.#shown[index];
    const { duration_s } = this.segments[index];
    const top = this.#top.value;
    const heard = index < place.index ? 1 : index > place.index ? 0 : place.offset / (duration_s || Infinity);
    const made = peaks.length ? room.value / peaks.length : 0;
    /** Of the peaks that there are: 1 is where the next ones will stand. */
    const share = (x) => Math.max(0, (x - slot.x) / slot.width) * made;
    const bar = (x, size, name, alpha) => {
      context.fillStyle = this.colours[name];
      context.globalAlpha = alpha;
      context.fillRect(x, (height - size) / 2, BAR, size);
    };
    for (let x = Math.ceil(slot.x / STEP) * STEP; x + BAR <= slot.x + slot.width + 0.5; x += STEP) {
      const full = share(x) < 1 ? grown.value : 0;
      if (full < 1) bar(x, BAR, index === this.making ? "running" : "wave-rest", 1 - full);
      if (!full) continue;
      const size = Math.max(BAR, height * heightOf(peaks, share(x), share(x + STEP), top));
      const spoken = share(x + BAR / 2) < heard;
      bar(x, BAR + (size - BAR) * full, spoken ? "accent" : "wave", (spoken ? 1 : 0.6) * full);
    }
    context.globalAlpha = 1;
  }
}
