/** Buttons and fields that steer the job; what was asked, and when it was applied. */

import { byId, icon, make, setText, toast } from "../dom.js";
import { t } from "../messages.js";
import { ENDED } from "../vocabulary.js";

/** @param {any} state a JobState @param {(command: string, value?: unknown) => boolean} send */
export function steering(state, send) {
  const panel = byId("steering");
  const voices = byId("steer-voice");

  function ask(command, value) {
    if (!send(command, value)) toast(t("not_connected"));
  }

  function asked(command) {
    return state.controls.some((one) => one.command === command && one.state === "asked");
  }

  function wordsOf({ command, value, voice_name: voice }) {
    const quoted = command === "voice" || (command === "instruct" && value);
    const shown = quoted ? `“${voice || value}”` : (value ?? "");
    return `${t(`command.${command}`)} ${shown}`.trim();
  }

  function item(one) {
    const where = one.from_segment == null ? t("applied") : t("applied_from", { segment: one.from_segment + 1 });
    return make(
      "li",
      { "data-state": one.state },
      icon(one.state === "applied" ? "check" : "clock"),
      make("span", {}, wordsOf(one)),
      make("span", { class: "soft" }, one.by),
      make("span", { class: "asked-state" }, one.state === "applied" ? where : t("asked")),
    );
  }

  function show() {
    panel.hidden = ENDED.includes(state.status);
    for (const button of document.querySelectorAll("[data-when]")) {
      button.hidden = !button.dataset.when.split(" ").includes(state.status);
    }
    for (const [command, words] of [["pause", "pausing"], ["cancel", "cancelling"]]) {
      const button = panel.querySelector(`[data-command=${command}]`);
      const waiting = asked(command);
      button.disabled = waiting;
      setText(button.querySelector("span"), t(waiting ? words : `command.${command}`));
    }
    byId("asked").hidden = !state.controls.length;
    byId("asked-list").replaceChildren(...state.controls.map(item));
  }

  panel.addEventListener("click", (event) => {
    const command = event.target.closest("[data-command]")?.dataset.command;
    if (command) ask(command);
  });
  panel.addEventListener("input", (event) => {
    if (event.target.id === "steer-speed") setText(byId("steer-speed-value"), event.target.value);
  });
  panel.addEventListener("change", ({ target }) => {
    const command = target.dataset.commandValue;
    if (!command) return;
    ask(command, command === "speed" || command === "priority" ? Number(target.value) : target.value);
  });
  state.addEventListener("change", show);
  show();
}
