/** The administrator's button that pauses and resumes the queue. */

import { ApiProblem, request } from "../api.js";
import { byId, setText, toast } from "../dom.js";
import { t } from "../messages.js";
import { showPause } from "./queue-pause.js";

/** @param {{paused: boolean, paused_by: string}} queue */
export function showQueue(queue) {
  showPause(queue);
  const button = byId("queue-switch");
  if (!button) return;
  button.dataset.paused = String(queue.paused);
  button.querySelector("use").setAttribute("href", queue.paused ? "#i-play" : "#i-pause");
  setText(button.querySelector("span"), t(queue.paused ? "queue_resume" : "queue_pause"));
}

export function queueSwitch() {
  const button = byId("queue-switch");
  button?.addEventListener("click", async () => {
    button.disabled = true;
    try {
      showQueue(await request("POST", button.dataset.api, { paused: button.dataset.paused !== "true" }));
    } catch (problem) {
      if (!(problem instanceof ApiProblem)) throw problem;
      toast(problem.message);
    } finally {
      button.disabled = false;
    }
  });
}
