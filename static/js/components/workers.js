/** The table of workers. Rows are kept, so that a button under the pointer or the focus stays where it is. */

import { byId, make, setText } from "../dom.js";
import { bytes } from "../format.js";
import { t } from "../messages.js";

const ICONS = {
  starting: "repeat",
  idle: "clock",
  busy: "pulse",
  unloaded: "eraser",
  draining: "leave",
  recycling: "repeat",
  failed: "alert",
  stopping: "slash",
};
const COLOURS = { busy: "running", failed: "failed", starting: "paused", draining: "paused", recycling: "paused" };
const rows = new Map();

function newRow(worker) {
  const row = byId("worker-template").content.firstElementChild.cloneNode(true);
  row.dataset.worker = worker.name;
  setText(row.querySelector("[data-name]"), worker.name);
  return row;
}

function fill(row, worker, now, alone) {
  const set = (name, text) => setText(row.querySelector(`[data-${name}]`), text);
  const badge = row.querySelector(".badge");
  badge.dataset.status = COLOURS[worker.state] ?? "";
  badge.querySelector("use").setAttribute("href", `#i-${ICONS[worker.state]}`);
  set("state", t(`worker.${worker.state}`));
  set("order", worker.order ? t("asked") : "");
  set("engine", [worker.engine, worker.device].filter(Boolean).join(" · "));
  set("loaded", worker.loaded ? t("model_loaded") : t("model_not_loaded"));
  set("memory", bytes(worker.memory));
  set("heartbeat", t("seconds_ago", { seconds: Math.max(0, Math.round(now - worker.heartbeat_at)) }));
  const job = row.querySelector("[data-job]");
  if (job.textContent !== (worker.job ?? "")) {
    job.replaceChildren(...(worker.job ? [make("a", { href: `/jobs/${worker.job}/` }, worker.job)] : []));
  }
  const actions = row.querySelector("[data-actions]");
  if (actions) actions.hidden = alone;
}

/** @param {any[]} workers @param {number} now the server's clock */
export function showWorkers(workers, now) {
  for (const worker of workers) {
    if (!rows.has(worker.name)) rows.set(worker.name, newRow(worker));
    fill(rows.get(worker.name), worker, now, workers.length === 1);
  }
  const names = workers.map((worker) => worker.name);
  for (const name of rows.keys()) if (!names.includes(name)) rows.delete(name);
  const body = byId("workers");
  if ([...body.children].map((row) => row.dataset.worker).join() !== names.join()) {
    body.replaceChildren(...names.map((name) => rows.get(name)));
  }
  byId("workers-table").hidden = !workers.length;
  byId("no-workers").hidden = workers.length > 0;
}
