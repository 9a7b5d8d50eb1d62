/** My jobs, newest first, live. */

import { byId, setText } from "../dom.js";
import { t } from "../messages.js";
import { JobCard } from "./job-card.js";
import { showPause } from "./queue-pause.js";

const LONGEST = 40;

export class JobList {
  /** @param {HTMLElement} element @param {number} owner only this person's jobs @param {any[]} lines as rendered */
  constructor(element, owner, lines) {
    this.element = element;
    this.owner = owner;
    /** @type {Map<string, JobCard>} */
    this.cards = new Map();
    for (const line of lines) {
      const card = new JobCard(element.querySelector(`[data-job="${line.id}"]`), line);
      card.update(line);
      this.cards.set(line.id, card);
    }
  }

  /** A frame of the portal scope. */
  hear(frame) {
    if (frame.jobs) this.#all(frame.jobs);
    if (frame.job) this.#one(frame.job);
    if (frame.queue) this.#queue(frame.queue);
  }

  #all(lines) {
    for (const line of [...lines].sort((a, b) => a.created_at - b.created_at)) this.#one(line);
  }

  #one(line) {
    if (line.owner !== this.owner) return;
    const known = this.cards.get(line.id);
    if (known) return known.update(line);
    const card = JobCard.make(line);
    this.cards.set(line.id, card);
    this.#place(card);
    byId("no-jobs").hidden = true;
    if (this.cards.size > LONGEST) this.#dropOldest();
  }

  #place(card) {
    const newer = [...this.element.children].find((other) => {
      return this.cards.get(other.dataset.job).line.created_at <= card.line.created_at;
    });
    this.element.insertBefore(card.element, newer ?? null);
  }

  #dropOldest() {
    const last = this.element.lastElementChild;
    this.cards.delete(last.dataset.job);
    last.remove();
  }

  #queue(queue) {
    showPause(queue);
    setText(byId("queue-state"), queue.queued || queue.running ? t("queue_now", queue) : "");
    for (const [id, { position, eta_s }] of Object.entries(queue.positions ?? {})) {
      const card = this.cards.get(id);
      if (card?.line.status === "queued") card.update({ position, starts_in_s: eta_s });
    }
  }
}
