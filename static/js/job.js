/** The page of one job. */

import { byId } from "./dom.js";
import { JobState } from "./job-state.js";
import { connect } from "./page.js";
import { ENDED, Status } from "./vocabulary.js";
import { logPanel } from "./components/log-panel.js";
import { player } from "./components/player.js";
import { showPause } from "./components/queue-pause.js";
import { recipe } from "./components/recipe.js";
import { redo } from "./components/redo.js";
import { replay } from "./components/replay.js";
import { stageTrack } from "./components/stage-track.js";
import { steering } from "./components/steering.js";
import { trouble } from "./components/trouble.js";

const state = new JobState(JSON.parse(byId("job-state").textContent));
const line = connect();

stageTrack(state);
trouble(state);
player(state);
steering(state, (command, value, redo) => line.send({ task: "control", job: state.id, command, value, redo }));
logPanel(state);
recipe(state);
replay(state);
redo(state);

line.followJob(state.id, state.last_seq, (frame) => state.hear(frame));
if (!ENDED.includes(state.status)) {
  line.followScope("portal", ({ queue }) => {
    if (queue) showPause(queue);
    const place = queue?.positions?.[state.id];
    if (place && state.status === Status.QUEUED) state.place(place);
  });
}
