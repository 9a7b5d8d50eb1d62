/** What is about to run out, as sentences. */

import { icon, make } from "../dom.js";
import { t } from "../messages.js";

function sentence(warning, here) {
  const text = t(`warning.${warning.code}`, { minutes: warning.minutes ?? "", gpu: warning.gpu ?? "" });
  return warning.host && warning.host !== here ? t("at_host", { host: warning.host, text }) : text;
}

/** @param {HTMLElement} box @param {any[]} warnings @param {{worker: string, message: string}[]} [failures] */
export function showWarnings(box, warnings, failures = []) {
  const now = JSON.stringify([warnings, failures]);
  if (box.dataset.shown === now) return;
  box.dataset.shown = now;
  const callout = (kind, text) => make("div", { class: `callout ${kind}` }, icon("alert"), make("div", {}, text));
  box.replaceChildren(
    ...failures.map((failure) => callout("error", t("engine_failed", failure))),
    ...warnings.map((warning) => callout("warning", sentence(warning, box.dataset.here))),
  );
}
