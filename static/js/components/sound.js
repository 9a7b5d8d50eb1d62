/** Buttons that play one sound: `<button class="play-button" data-audio="url">`. One sound at a time. */

import { toast } from "../dom.js";
import { t } from "../messages.js";

const audio = new Audio();
audio.preload = "none";
/** @type {HTMLElement | null} */
let current = null;

function show(button, playing) {
  if (button) button.dataset.playing = String(playing);
}

/** @type {(() => void) | null} */
let silence = null;

/** Whoever begins to sound says how it is stopped when somebody else begins. */
export function startSound(stop) {
  if (silence !== stop) silence?.();
  silence = stop;
}

const stop = () => audio.pause();

async function toggle(button) {
  const same = current === button && audio.getAttribute("src") === button.dataset.audio;
  if (same && !audio.paused) return stop();
  startSound(stop);
  show(current, false);
  current = button;
  if (!same) audio.src = button.dataset.audio;
  show(button, true);
  try {
    await audio.play();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    show(button, false);
    toast(t("play_failed"));
  }
}

export function playButtons() {
  audio.addEventListener("pause", () => show(current, false));
  audio.addEventListener("ended", () => show(current, false));
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".play-button[data-audio]");
    if (button?.dataset.audio) toggle(button);
  });
}
