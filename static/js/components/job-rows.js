/** Rows of jobs in a table, kept up to date by portal frames. */

import { setBadge, setText } from "../dom.js";
import { detail } from "./job-card.js";
import { showPause } from "./queue-pause.js";

/** Places come with the queue, states with the jobs: each frame has one of them. */
const places = new Map();

/** @param {any} line the one-line state of a job */
export function updateRow(line) {
  const row = document.querySelector(`#history [data-job="${line.id}"]`);
  if (!row) return;
  row.dataset.status = line.status;
  setBadge(row.querySelector("[data-badge]"), line.status);
  setText(row.querySelector("[data-field=detail]"), detail({ ...line, ...places.get(line.id), eta_s: null }));
  const button = row.querySelector(".play-button");
  const url = line.output_url ?? line.first_audio_url;
  button.disabled = !url;
  if (url && button.dataset.playing !== "true") button.dataset.audio = url;
}

/** @param {any} queue */
function updatePlaces(queue) {
  showPause(queue);
  for (const [id, { position, eta_s }] of Object.entries(queue.positions)) {
    places.set(id, { position, starts_in_s: eta_s });
    const row = document.querySelector(`#history [data-job="${id}"][data-status=queued]`);
    if (row) setText(row.querySelector("[data-field=detail]"), detail({ status: "queued", position, starts_in_s: eta_s }));
  }
}

/** @param {any} frame of the portal scope */
export function updateRows(frame) {
  if (frame.queue) updatePlaces(frame.queue);
  for (const line of frame.jobs ?? (frame.job ? [frame.job] : [])) updateRow(line);
}
