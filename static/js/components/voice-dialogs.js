/** The dialogs that make a voice: upload and record. */

import { byId, toast } from "../dom.js";
import { moment } from "../format.js";
import { t } from "../messages.js";
import { dropArea } from "./drop.js";
import { Recorder } from "./recorder.js";
import { uploadForm } from "./upload.js";

/** @param {(voice: any) => void} created */
export function voiceDialogs(created) {
  const done = (dialog) => (voice) => {
    dialog.close();
    toast(`${t("voice_created")}: ${voice.name}`);
    created(voice);
  };

  const upload = byId("upload-dialog");
  uploadForm(upload.querySelector("form"), done(upload));
  dropArea(upload.querySelector("[data-drop]"));

  const record = byId("record-dialog");
  const form = byId("record-form");
  const recorder = new Recorder((blob) => {
    form.hidden = !blob;
    const name = form.elements.namedItem("name");
    const transcript = form.elements.namedItem("transcript");
    if (!blob) return;
    name.value ||= t("recording_name", { date: moment(new Date().toISOString()) });
    transcript.value ||= byId("read-aloud").textContent.trim();
    form.elements.namedItem("language").value ||= document.documentElement.lang.slice(0, 2);
  });
  uploadForm(form, done(record), () => recorder.blob);
  record.addEventListener("close", () => recorder.reset());
}
