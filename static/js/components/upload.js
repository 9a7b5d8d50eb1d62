/** Voices go up with a bar: XMLHttpRequest, because fetch tells nothing of what is sent. */

import { csrfToken, problemOf } from "../api.js";
import { setBar, setText } from "../dom.js";
import { bytes, percent } from "../format.js";
import { t } from "../messages.js";
import { showProblems } from "./problems.js";

function send(form, data, onProgress) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", form.dataset.api);
    call.setRequestHeader("X-CSRFToken", csrfToken());
    call.setRequestHeader("Accept", "application/json");
    call.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    call.addEventListener("load", () => {
      if (call.status < 300) resolve(JSON.parse(call.responseText));
      else reject(problemOf(call.status, call.responseText));
    });
    call.addEventListener("error", () => reject(new Error(t("network_failed"))));
    call.send(data);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {(voice: any) => void} done
 * @param {() => Blob | null} [recording] instead of the form's own file
 */
export function uploadForm(form, done, recording) {
  const box = form.querySelector("[data-progress-box]");
  const limit = Number(form.dataset.limit);

  function show(share) {
    box.hidden = false;
    setBar(box.querySelector(".bar"), share);
    const text = share < 1 ? t("uploading", { percent: percent(share) }) : t("checking");
    setText(box.querySelector("[data-progress-text]"), text);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const blob = recording?.();
    if (blob) data.set("audio", blob, blob.type.includes("mp4") ? "recording.m4a" : "recording.webm");
    data.set("origin", form.dataset.origin);
    const { size } = data.get("audio");
    if (size > limit) {
      return showProblems(form, { audio: t("file_too_large", { size: bytes(size), limit: bytes(limit) }) });
    }
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    showProblems(form, {});
    try {
      done(await send(form, data, show));
      form.reset();
    } catch (problem) {
      showProblems(form, problem.fields ?? {}, problem.message);
    } finally {
      button.disabled = false;
      box.hidden = true;
    }
  });
}
