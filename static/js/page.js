/** What every page does: theme, connection state, dialogs, copying, local times, playing. */

import { byId, fillBars, setText, toast } from "./dom.js";
import { moment } from "./format.js";
import { t } from "./messages.js";
import { Line } from "./socket.js";
import { playButtons } from "./components/sound.js";
import { drawPeaks } from "./components/mini-wave.js";

function themeToggle() {
  const button = byId("theme-toggle");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    dispatchEvent(new Event("themechange"));
  });
}

function dialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) byId(opener.dataset.open).showModal();
    if (event.target.closest("[data-close]") || event.target instanceof HTMLDialogElement) {
      event.target.closest("dialog").close();
    }
  });
}

function copyButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button.dataset.copy);
  });
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("copied"));
  } catch {
    toast(t("copy_failed"));
  }
}

export function localTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-time]")) {
    setText(time, moment(time.dateTime));
    time.title = new Date(time.dateTime).toLocaleString();
  }
}

/** Open the page's socket and show how it is. */
export function connect() {
  const line = new Line(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`);
  const label = byId("line-state");
  const bar = byId("offline-bar");
  label.hidden = false;
  setText(label, t("connecting"));
  line.addEventListener("state", ({ detail: { state, seconds } }) => {
    label.dataset.state = state;
    setText(label, t(state, { seconds }));
    bar.hidden = state === "live" || (state === "reconnecting" && seconds <= 1);
    if (state === "signed_out") location.reload();
  });
  line.addEventListener("problem", ({ detail }) => toast(detail.message));
  line.open();
  return line;
}

themeToggle();
dialogs();
copyButtons();
localTimes();
fillBars();
playButtons();
drawPeaks();
