/** One gauge: a number, a note, and a minute of past as a line; a GPU's has its load as a second one. */

import { byId, setText } from "../dom.js";
import { percent } from "../format.js";

const LENGTH = 60;

export class Gauge {
  #past;
  #second;

  /** @param {HTMLElement} element @param {number[]} [past] oldest first @param {number[]} [second] */
  constructor(element, past = [], second = []) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.#past = past;
    this.#second = second;
    addEventListener("themechange", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
  }

  /** For a gauge that the page does not have yet: a GPU. @param {string} name @param {string} model */
  static element(name, model) {
    const element = byId("gauge-template").content.firstElementChild.cloneNode(true);
    setText(element.querySelector("[data-name]"), name);
    element.setAttribute("aria-label", `${name}, ${model}`);
    return element;
  }

  /**
   * @param {number} share 0 to 1
   * @param {string} value
   * @param {string} note
   * @param {{low?: boolean, second?: number}} [more] whether it is about to run out; the second line's value, 0 to 1
   */
  show(share, value, note, { low = false, second } = {}) {
    this.#past = [...this.#past, share].slice(-LENGTH);
    if (second !== undefined) this.#second = [...this.#second, second].slice(-LENGTH);
    setText(this.element.querySelector("[data-value]"), value);
    setText(this.element.querySelector("[data-note]"), note);
    this.element.setAttribute("aria-valuenow", String(Math.min(100, percent(share))));
    this.element.setAttribute("aria-valuetext", `${value}, ${note}`);
    this.element.toggleAttribute("data-low", low);
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    context.fillStyle = style.getPropertyValue("--line-soft");
    for (const share of [0, 0.5, 1]) context.fillRect(0, Math.round(share * (height - 1)), width, 1);
    if (this.#second.length) trace(context, this.#second, style.getPropertyValue("--line-firm"), 1, width, height);
    trace(context, this.#past, style.color, 1.5, width, height);
    context.lineTo(width, height);
    context.lineTo(width - ((this.#past.length - 1) * width) / (LENGTH - 1), height);
    context.globalAlpha = 0.14;
    context.fill();
  }
}

/** The newest value is at the right edge; a minute ago is at the left one. */
function trace(context, values, colour, line, width, height) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = line;
  context.beginPath();
  values.forEach((share, index) =>
    context.lineTo(width - ((values.length - 1 - index) * width) / (LENGTH - 1), height - 1 - Math.min(1, share) * (height - 2)),
  );
  context.stroke();
}
