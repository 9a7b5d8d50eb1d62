/** One segment made again: a quiet button at its line, and a small dialog. */

import { request } from "../api.js";
import { byId, setText, toast } from "../dom.js";
import { t } from "../messages.js";
import { Status } from "../vocabulary.js";
import { showProblems } from "./problems.js";

const OPEN_TO_IT = [Status.COMPLETED, Status.PAUSED];

/** @param {any} state a JobState */
export function redo(state) {
  const dialog = byId("redo-dialog");
  const form = byId("redo-form");
  const { text, seed, speed } = form.elements;
  const lines = byId("segment-lines");
  let index = 0;

  function open(chosen) {
    index = chosen;
    const segment = state.segments[index];
    form.reset();
    text.value = segment.text;
    speed.value = String(segment.speed);
    setText(byId("redo-speed-value"), speed.value);
    setText(byId("redo-title"), t("redo_segment", { number: index + 1 }));
    for (const note of form.querySelectorAll("[data-for]")) note.hidden = note.dataset.for !== state.status;
    showProblems(form, {});
    dialog.showModal();
    if (matchMedia("(pointer: fine)").matches) text.focus(); // not where it calls a keyboard over the dialog
  }

  /** Only what was changed is sent: the rest stays as it was made, whatever the fields can show of it. */
  function wish() {
    const segment = state.segments[index];
    const changed = {};
    if (text.value.trim() !== segment.text) changed.text = text.value;
    if (seed.value.trim()) changed.seed = seed.value.trim();
    if (Number(speed.value) !== segment.speed) changed.speed = Number(speed.value);
    return changed;
  }

  function show() {
    for (const button of lines.querySelectorAll("[data-redo]")) {
      const { audio_url } = state.segments[Number(button.dataset.redo)];
      button.hidden = !OPEN_TO_IT.includes(state.status) || !audio_url;
    }
  }

  lines.addEventListener("click", (event) => {
    const button = event.target.closest("[data-redo]");
    if (button) open(Number(button.dataset.redo));
  });
  speed.addEventListener("input", () => setText(byId("redo-speed-value"), speed.value));
  byId("redo-die").addEventListener("click", () => {
    seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      const made = await request("POST", `/api/v1/jobs/${state.id}/segments/${index}/redo`, wish());
      if (made.id !== state.id) return location.assign(made.links.page);
      dialog.close();
      toast(t("redo_waits"));
    } catch (problem) {
      showProblems(form, problem.fields ?? {}, problem.message);
    }
    button.disabled = false;
  });
  state.addEventListener("change", ({ detail: frame }) => {
    if (frame.kind === "redo") setText(lines.querySelector(`[data-text="${frame.redo.index}"]`), frame.redo.text);
    show();
  });
  show();
}
