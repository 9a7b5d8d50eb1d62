/** The page of a batch: its jobs live, the whole progress, commands to all. */

import { ApiProblem, request } from "./api.js";
import { byId, icon, make, say, setBar, setText, STATUS_ICONS, toast } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./messages.js";
import { connect } from "./page.js";
import { ENDED } from "./vocabulary.js";
import { updateRow, updateRows } from "./components/job-rows.js";

const WHEN = { pause: ["queued", "running"], resume: ["paused"], cancel: ["queued", "running", "paused"] };
const jobs = new Map(JSON.parse(byId("batch-state").textContent).map((job) => [job.id, job]));
const commands = byId("batch-commands");
const api = `/api/v1/batches/${document.body.dataset.batch}`;

function count(status) {
  return [...jobs.values()].filter((job) => job.status === status).length;
}

/** As synthesis/jobs/batches.py: by the length of the texts. */
function progress() {
  const all = [...jobs.values()];
  const total = all.reduce((sum, job) => sum + job.chars, 0);
  const done = all.reduce((sum, job) => sum + job.chars * (ENDED.includes(job.status) ? 1 : job.progress), 0);
  return total ? done / total : 1;
}

function show() {
  const share = progress();
  setText(byId("batch-percent"), `${percent(share)} %`);
  setBar(byId("batch-bar"), share, share === 1 ? "completed" : "running");
  const counts = Object.keys(STATUS_ICONS).filter(count);
  const items = counts.map((status) => make("li", {}, icon(STATUS_ICONS[status]), ` ${t(`status.${status}`)} ${count(status)}`));
  byId("batch-counts").replaceChildren(...items);
  for (const button of commands.querySelectorAll("[data-command]")) {
    button.hidden = !WHEN[button.dataset.command].some(count);
  }
  byId("batch-download").hidden = !count("completed");
  if (share === 1) say(t("status.completed"));
}

function heard(line) {
  if (!jobs.has(line.id)) return;
  Object.assign(jobs.get(line.id), { status: line.status, progress: line.progress });
  show();
}

/** What happened while there was no connection: the snapshot has only the newest jobs. */
async function catchUp() {
  try {
    const batch = await request("GET", api);
    for (const line of batch.jobs) {
      updateRow(line);
      heard(line);
    }
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem; // else the line is gone again, and comes back to here
  }
}

commands.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-command]");
  if (!button) return;
  const command = button.dataset.command;
  if (command === "cancel" && !confirm(t("confirm_cancel_batch"))) return;
  button.disabled = true;
  try {
    const { taken } = await request("POST", commands.dataset.api, { command });
    toast(t("batch_taken", { taken, count: jobs.size }));
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem;
    toast(problem.message);
  } finally {
    button.disabled = false;
  }
});

show();
connect().followScope("portal", (frame) => {
  updateRows(frame);
  if (frame.jobs) catchUp();
  if (frame.job) heard(frame.job);
});
