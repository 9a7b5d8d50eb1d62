/** The log: coloured by level, filtered, searched, followed, copied, cleared. */

import { byId, setText, toast } from "../dom.js";
import { isLogLine } from "../job-state.js";
import { t } from "../messages.js";
import { copy } from "../page.js";
import { LogLines } from "./log-lines.js";

/** @param {any} state a JobState */
export function logPanel(state) {
  const box = byId("log-lines");
  const levels = byId("log-levels");
  const search = byId("log-search");
  const follow = byId("log-follow");
  const lines = new LogLines(box, (shown, count) => {
    setText(byId("log-count"), t("log_lines", { shown, count }));
    if (follow.ariaPressed === "true") box.scrollTop = box.scrollHeight;
  });

  const filter = () => {
    const allowed = [...levels.children].filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.level);
    lines.filter(allowed, search.value.trim().toLowerCase());
  };

  levels.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-level]");
    if (!chip) return;
    chip.ariaPressed = String(chip.ariaPressed !== "true");
    filter();
  });
  search.addEventListener("input", filter);
  follow.addEventListener("click", () => {
    follow.ariaPressed = String(follow.ariaPressed !== "true");
    if (follow.ariaPressed === "true") box.scrollTop = box.scrollHeight;
  });
  box.addEventListener("wheel", (event) => event.deltaY < 0 && (follow.ariaPressed = "false"), { passive: true });
  byId("log-copy").addEventListener("click", () => {
    const shown = [...box.children].filter((line) => !line.hidden);
    copy(shown.map((line) => [...line.children].map((part) => part.textContent).join(" ")).join("\n"));
  });
  byId("log-clear").addEventListener("click", () => {
    lines.replace([]);
    toast(t("log_cleared"));
  });
  state.addEventListener("change", ({ detail: frame }) => {
    if (isLogLine(frame)) lines.add(frame);
  });

  lines.replace(state.log);
  filter();
}
