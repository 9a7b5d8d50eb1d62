/** The button that runs an ended job again from its recipe. */

import { request } from "../api.js";
import { byId, toast } from "../dom.js";
import { ENDED } from "../vocabulary.js";

/** @param {any} state a JobState */
export function replay(state) {
  const button = byId("replay");
  const show = () => (button.hidden = !ENDED.includes(state.status));

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const made = await request("POST", `/api/v1/jobs/${state.id}/replay`, { verify: true });
      location.assign(made.links.page);
    } catch (problem) {
      toast(problem.message);
      button.disabled = false;
    }
  });
  state.addEventListener("change", show);
  show();
}
