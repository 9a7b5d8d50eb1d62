/** The table of workers. */

import { byId, make } from "../dom.js";
import { bytes } from "../format.js";
import { t } from "../messages.js";

function row(worker, now) {
  const job = make("td", { class: "mono" });
  if (worker.job) job.append(make("a", { href: `/jobs/${worker.job}/` }, worker.job));
  const age = Math.max(0, Math.round(now - worker.heartbeat_at));
  return make(
    "tr",
    {},
    make("td", { class: "title-cell" }, worker.name),
    make("td", {}, make("span", { class: "badge", "data-status": worker.state === "busy" ? "running" : "" }, t(`worker.${worker.state}`))),
    job,
    make("td", { class: "small soft" }, [worker.engine, worker.device].filter(Boolean).join(" · ")),
    make("td", { class: "number" }, bytes(worker.memory)),
    make("td", { class: "number soft" }, t("seconds_ago", { seconds: age })),
  );
}

/** @param {any[]} workers @param {number} now the server's clock */
export function showWorkers(workers, now) {
  byId("workers").replaceChildren(...workers.map((worker) => row(worker, now)));
  byId("no-workers").hidden = workers.length > 0;
}
