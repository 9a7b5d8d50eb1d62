/** The studio page. */

import { ApiProblem, request } from "./api.js";
import { byId, toast } from "./dom.js";
import { t } from "./messages.js";
import { connect } from "./page.js";
import { batchDialog } from "./components/batch-dialog.js";
import { keepDraft } from "./components/draft.js";
import { instruction } from "./components/instruction.js";
import { JobList } from "./components/job-list.js";
import { showProblems } from "./components/problems.js";
import { seedField } from "./components/seed-field.js";
import { showWarnings } from "./components/warnings.js";
import { textField } from "./components/text-field.js";
import { voiceChoice } from "./components/voice-choice.js";
import { voiceDialogs } from "./components/voice-dialogs.js";

const form = byId("studio-form");
const user = document.body.dataset.user;

keepDraft(form, user);
textField(byId("text"));
instruction(byId("instruct"), byId("instruct-chips"));
const seed = seedField(byId("seed"));
const voice = voiceChoice(byId("prompt_audio"));
voiceDialogs((created) => voice.add(created));

batchDialog(form, (made) => location.assign(`/batches/${made.batch}/`));

const jobs = new JobList(byId("job-list"), Number(user), JSON.parse(byId("lines").textContent));
connect().followScope("portal", (frame) => {
  jobs.hear(frame);
  if (frame.queue) showWarnings(byId("warnings"), frame.queue.details);
});

/** A retry after a lost answer must not make a second job: the key changes only after success. */
let attempt = crypto.randomUUID?.() ?? String(Math.random());
let sent = "";

async function generate() {
  const values = Object.fromEntries(new FormData(form));
  delete values.csrfmiddlewaretoken;
  const body = JSON.stringify(values);
  if (body !== sent) attempt = crypto.randomUUID?.() ?? String(Math.random());
  sent = body;
  const answer = await request("POST", form.dataset.api, values, { "Idempotency-Key": attempt });
  sent = "";
  seed.used();
  const many = answer.jobs.length > 1;
  toast(many ? t("submitted_many", { count: answer.jobs.length }) : t("submitted"), {
    href: many ? `/batches/${answer.batch}/` : `/jobs/${answer.id}/`,
    label: many ? "→" : answer.id,
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("generate");
  if (button.disabled) return;
  button.disabled = true;
  showProblems(form, {});
  try {
    await generate();
  } catch (problem) {
    if (!(problem instanceof ApiProblem)) throw problem;
    showProblems(form, problem.fields, problem.message);
    if (!Object.keys(problem.fields).length) toast(problem.message);
  } finally {
    button.disabled = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    form.requestSubmit();
  }
});

const keys = byId("generate-keys");
keys.hidden = matchMedia("(pointer: coarse)").matches;
keys.textContent = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";
