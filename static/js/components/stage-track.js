/** Percentage, step, time left, and the four stages with their own progress and time. */

import { byId, say, setBadge, setBar, setText } from "../dom.js";
import { percent, seconds, span } from "../format.js";
import { t } from "../messages.js";
import { stageShares } from "../stages.js";
import { ENDED, Status } from "../vocabulary.js";
import { placeText } from "./place.js";

function timeLeft(state) {
  if (state.status === Status.QUEUED && state.position != null) return placeText(state.position, state.starts_in_s);
  if (state.status !== Status.RUNNING || state.eta_s == null) return "";
  const left = Math.max(1, state.eta_s - (Date.now() - state.heardAt) / 1000);
  return t("left", { time: span(left) });
}

function message(state) {
  if (state.status !== Status.RUNNING || !state.stage) return t(`status.${state.status}`);
  return `${t("step", { step: state.step, total: state.total })} · ${t(`stage.${state.stage}`)}`;
}

function hereAs(status) {
  if (status === Status.FAILED) return "failed";
  return ENDED.includes(status) ? "next" : "now";
}

/** @param {any} state a JobState */
function show(state) {
  setText(byId("percent"), `${percent(state.progress)} %`);
  byId("job-progress").setAttribute("aria-valuenow", String(percent(state.progress)));
  setText(byId("progress-message"), message(state));
  setText(byId("time-left"), timeLeft(state));
  setBadge(document.querySelector(".job-head [data-badge]"), state.status);
  const shares = stageShares(state);
  for (const item of byId("track").children) {
    const stage = item.dataset.stage;
    item.dataset.state = shares[stage] === 1 ? "done" : stage === state.stage ? hereAs(state.status) : "next";
    setBar(item.querySelector(".bar"), shares[stage], state.status);
    const spent = state.clock.seconds[stage];
    setText(item.querySelector(".track-time"), spent ? seconds(spent) : "");
  }
}

/** @param {any} state a JobState */
export function stageTrack(state) {
  let status = state.status;
  state.addEventListener("change", () => {
    show(state);
    if (state.status !== status) say(t("said_status", { status: t(`status.${state.status}`) }), true);
    else if (state.stage) say(t("said_progress", { percent: percent(state.progress), stage: t(`stage.${state.stage}`) }));
    status = state.status;
  });
  setInterval(() => setText(byId("time-left"), timeLeft(state)), 1000);
  show(state);
}
