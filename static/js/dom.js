/** Small pieces that many components set: icons, badges, bars, notes to the reader. */

import { t } from "./messages.js";
import { percent } from "./format.js";

export const STATUS_ICONS = {
  queued: "clock",
  running: "pulse",
  paused: "pause",
  completed: "check",
  failed: "alert",
  cancelled: "slash",
};

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/** Write only what changed: nothing flickers, and screen readers hear nothing twice. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** @param {string} name an icon of the sprite in base.html */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {Element} badge @param {string} status */
export function setBadge(badge, status) {
  if (badge.dataset.status === status) return;
  badge.dataset.status = status;
  badge.querySelector("use").setAttribute("href", `#i-${STATUS_ICONS[status]}`);
  setText(badge.querySelector("span"), t(`status.${status}`));
}

/** @param {HTMLElement} bar @param {number} share 0 to 1 @param {string} [status] */
export function setBar(bar, share, status) {
  bar.style.setProperty("--progress", String(share));
  if (bar.hasAttribute("aria-valuenow")) bar.setAttribute("aria-valuenow", String(percent(share)));
  if (status) bar.dataset.status = status;
}

/** Give server-rendered bars their length. */
export function fillBars(root = document) {
  for (const bar of root.querySelectorAll(".bar[data-progress]")) setBar(bar, Number(bar.dataset.progress));
}

let lastSaid = 0;

/** Tell screen readers, at most every five seconds unless it is `important`. */
export function say(text, important = false) {
  const now = performance.now();
  if (!important && now - lastSaid < 5000) return;
  lastSaid = now;
  setText(byId("live-region"), text);
}

/** A short note that goes by itself. @param {string} text @param {{href: string, label: string}} [link] */
export function toast(text, link) {
  const note = make("p", { class: "toast" }, text);
  if (link) note.append(" ", make("a", { href: link.href }, link.label));
  byId("toasts").append(note);
  setTimeout(() => note.remove(), 5000);
}
