/** Seed bookmark, and the parts that only the server knows once a job has ended. */

import { request } from "../api.js";
import { byId, toast } from "../dom.js";
import { t } from "../messages.js";
import { ENDED } from "../vocabulary.js";

/** The server renders files and recipe; when the job has ended they are taken over as they are. */
async function refresh() {
  const text = await (await fetch(location.href)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const id of ["outputs", "recipe", "verdict"]) byId(id).replaceWith(page.getElementById(id));
}

/** @param {any} state a JobState */
export function recipe(state) {
  document.addEventListener("click", async (event) => {
    const star = event.target.closest("#save-seed");
    if (!star || star.ariaPressed === "true") return;
    try {
      await request("POST", "/api/v1/seeds", { seed: Number(star.dataset.seed), voice: star.dataset.voice, note: state.title });
      star.ariaPressed = "true";
      toast(t("seed_saved"));
    } catch (problem) {
      toast(problem.message);
    }
  });

  state.addEventListener("change", ({ detail: frame }) => {
    if (ENDED.includes(frame.status)) refresh().catch(() => undefined);
  });
}
