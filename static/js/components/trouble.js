/** What happened, what to do, and the engine's own words folded below. */

import { byId, setText } from "../dom.js";
import { t } from "../messages.js";

/** @param {any} state a JobState */
export function trouble(state) {
  state.addEventListener("change", ({ detail: frame }) => {
    if (frame.kind !== "failed") return;
    byId("trouble").hidden = false;
    setText(byId("trouble-stage"), frame.stage ? ` · ${t(`stage.${frame.stage}`)}` : "");
    setText(byId("trouble-hint"), frame.hint ?? "");
    setText(byId("trouble-message"), frame.message);
  });
}
