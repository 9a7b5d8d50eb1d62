/** The history: rows stay up to date while jobs run. */

import { byId } from "./dom.js";
import { connect } from "./page.js";
import { updateRows } from "./components/job-rows.js";

connect().followScope("portal", updateRows);

byId("filters").voice.addEventListener("change", () => byId("filters").requestSubmit());
