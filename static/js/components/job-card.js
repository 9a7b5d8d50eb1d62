/** A job in the list beside the studio: made from the template in the page, kept up to date by portal frames. */

import { byId, setBadge, setBar, setText } from "../dom.js";
import { percent, seconds, span } from "../format.js";
import { t } from "../messages.js";
import { placeText } from "./place.js";

/** The most telling number of a job's state: place in the queue, percentage and time left, or length. */
export function detail(line) {
  if (line.status === "queued" && line.position != null) return placeText(line.position, line.starts_in_s);
  if (line.status === "running") {
    const done = `${percent(line.progress)} %`;
    return line.eta_s == null ? done : `${done} · ${t("left", { time: span(line.eta_s) })}`;
  }
  if (line.status === "paused") return `${percent(line.progress)} %`;
  return line.duration_s == null ? "" : seconds(line.duration_s);
}

export class JobCard {
  /** @param {HTMLElement} element @param {any} line */
  constructor(element, line) {
    this.element = element;
    this.line = line;
  }

  static make(line) {
    const element = byId("job-card-template").content.firstElementChild.cloneNode(true);
    element.classList.add("fresh");
    element.dataset.job = line.id;
    const title = element.querySelector("[data-field=title]");
    title.href = `/jobs/${line.id}/`;
    const card = new JobCard(element, line);
    card.update(line);
    return card;
  }

  /** @param {any} changes keys of a portal line */
  update(changes) {
    this.line = { ...this.line, ...changes };
    const { line, element } = this;
    element.dataset.status = line.status;
    for (const name of ["title", "voice_name", "seed"]) {
      setText(element.querySelector(`[data-field=${name}]`), String(line[name]));
    }
    element.querySelector("[data-field=title]").title = line.title;
    setText(element.querySelector("[data-field=detail]"), detail(line));
    setBadge(element.querySelector("[data-badge]"), line.status);
    setBar(element.querySelector(".bar"), line.progress, line.status);
    this.#offerSound(line.output_url ?? line.first_audio_url);
  }

  #offerSound(url) {
    const button = this.element.querySelector(".play-button");
    button.disabled = !url;
    if (url && button.dataset.playing !== "true") button.dataset.audio = url;
    button.setAttribute("aria-label", `${t("play")}: ${this.line.title}`);
  }
}
