/** The history: rows stay up to date while jobs run. */

import { byId, setBadge, setText } from "./dom.js";
import { connect } from "./page.js";
import { detail } from "./components/job-card.js";

function update(line) {
  const row = document.querySelector(`#history [data-job="${line.id}"]`);
  if (!row) return;
  row.dataset.status = line.status;
  setBadge(row.querySelector("[data-badge]"), line.status);
  setText(row.querySelector("[data-field=detail]"), detail({ ...line, eta_s: null }));
  const button = row.querySelector(".play-button");
  const url = line.output_url ?? line.first_audio_url;
  button.disabled = !url;
  if (url && button.dataset.playing !== "true") button.dataset.audio = url;
}

connect().followScope("portal", (frame) => {
  for (const line of frame.jobs ?? (frame.job ? [frame.job] : [])) update(line);
});

byId("filters").voice.addEventListener("change", () => byId("filters").requestSubmit());
