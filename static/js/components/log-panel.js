/** The log: coloured by level, filtered, searched, followed, copied, cleared. */

import { byId, make, setText, toast } from "../dom.js";
import { logTime } from "../format.js";
import { t } from "../messages.js";
import { copy } from "../page.js";

const MOST_LINES = 2000;

/** @param {any} frame */
function lineOf(frame) {
  const level = frame.level ?? "INFO";
  const message = make("span", { class: "log-message" }, frame.message);
  if (frame.hint) message.append(make("span", { class: "log-hint" }, frame.hint));
  return make(
    "div",
    { class: "log-line", "data-level": level },
    make("time", {}, logTime(frame.at)),
    make("span", { class: "log-level" }, level),
    message,
  );
}

/** @param {any} state a JobState */
export function logPanel(state) {
  const box = byId("log-lines");
  const levels = byId("log-levels");
  const search = byId("log-search");
  const follow = byId("log-follow");
  let words = "";

  const shownLevels = () => [...levels.children].filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.level);

  function filter(lines) {
    const allowed = shownLevels();
    for (const line of lines) {
      line.hidden = !allowed.includes(line.dataset.level) || !line.textContent.toLowerCase().includes(words);
    }
    const shown = box.querySelectorAll(".log-line:not([hidden])").length;
    setText(byId("log-count"), t("log_lines", { shown, count: box.childElementCount }));
    if (follow.ariaPressed === "true") box.scrollTop = box.scrollHeight;
  }

  const all = () => [...box.children];

  levels.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-level]");
    if (!chip) return;
    chip.ariaPressed = String(chip.ariaPressed !== "true");
    filter(all());
  });
  search.addEventListener("input", () => {
    words = search.value.trim().toLowerCase();
    filter(all());
  });
  follow.addEventListener("click", () => {
    follow.ariaPressed = String(follow.ariaPressed !== "true");
    filter([]);
  });
  box.addEventListener("wheel", (event) => event.deltaY < 0 && (follow.ariaPressed = "false"), { passive: true });
  byId("log-copy").addEventListener("click", () => {
    const shown = all().filter((line) => !line.hidden);
    copy(shown.map((line) => [...line.children].map((part) => part.textContent).join(" ")).join("\n"));
  });
  byId("log-clear").addEventListener("click", () => {
    box.replaceChildren();
    filter([]);
    toast(t("log_cleared"));
  });
  state.addEventListener("change", ({ detail: frame }) => {
    if (state.log.at(-1) !== frame) return;
    const line = lineOf(frame);
    box.append(line);
    if (box.childElementCount > MOST_LINES) box.firstElementChild.remove();
    filter([line]);
  });

  box.replaceChildren(...state.log.map(lineOf));
  filter(all());
}
