/** One gauge: a number, a note, and a minute of past as a line. */

import { byId, setText } from "../dom.js";

const LENGTH = 60;

export class Gauge {
  #past = [];

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    addEventListener("themechange", () => this.#draw());
  }

  /** @param {string} name for a gauge that the page does not have yet: a GPU */
  static make(name) {
    const element = byId("gauge-template").content.firstElementChild.cloneNode(true);
    setText(element.querySelector("[data-name]"), name);
    byId("gauge-list").append(element);
    return new Gauge(element);
  }

  /** @param {number} share 0 to 1 @param {string} value @param {string} [note] */
  show(share, value, note = "") {
    this.#past = [...this.#past, share].slice(-LENGTH);
    setText(this.element.querySelector("[data-value]"), value);
    setText(this.element.querySelector("[data-note]"), note);
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--line-soft");
    for (const share of [0, 0.5, 1]) context.fillRect(0, Math.round(share * (height - 1)), width, 1);
    context.strokeStyle = context.fillStyle = getComputedStyle(this.canvas).color;
    context.lineWidth = 1.5;
    const x = (index) => width - ((this.#past.length - 1 - index) * width) / (LENGTH - 1);
    const y = (share) => height - 1 - Math.min(1, share) * (height - 2);
    context.beginPath();
    this.#past.forEach((share, index) => context.lineTo(x(index), y(share)));
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(x(0), height);
    context.globalAlpha = 0.14;
    context.fill();
  }
}
