/** Buttons and fields that steer the job; what was asked, and when it was applied. */

import { byId, icon, make, setText, toast } from "../dom.js";
import { t } from "../messages.js";
import { Command, ENDED, Status } from "../vocabulary.js";

const CHANGES = [Command.SPEED, Command.VOICE, Command.INSTRUCT];
const ICONS = { asked: "clock", applied: "check", lapsed: "slash" };

/** @param {any} state a JobState @param {(command: string, value: unknown, redo: boolean) => boolean} send */
export function steering(state, send) {
  const panel = byId("steering");
  const voices = byId("steer-voice");
  const redo = byId("steer-redo");

  function ask(command, value) {
    const again = redo.checked && state.status === Status.RUNNING && CHANGES.includes(command);
    if (!send(command, value, again)) toast(t("not_connected"));
  }

  function asked(command) {
    return state.controls.some((one) => one.command === command && one.state === "asked");
  }

  function wordsOf({ command, value, voice_name: voice }) {
    const quoted = command === "voice" || (command === "instruct" && value);
    const shown = quoted ? `“${voice || value}”` : (value ?? "");
    return `${t(`command.${command}`)} ${shown}`.trim();
  }

  function stateOf({ command, state: reached, from_segment, redo: again }) {
    if (reached === "lapsed") return t("lapsed");
    if (reached === "asked") return again ? t("asked_redo") : t("asked");
    const from = CHANGES.includes(command) && from_segment != null;
    return from ? t("applied_from", { segment: from_segment + 1 }) : t("applied");
  }

  function item(one) {
    return make(
      "li",
      { "data-state": one.state },
      icon(ICONS[one.state]),
      make("span", {}, wordsOf(one)),
      make("span", { class: "soft" }, one.by),
      make("span", { class: "asked-state" }, stateOf(one)),
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
