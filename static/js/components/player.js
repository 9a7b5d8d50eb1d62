/** The listening part of the job page: play button, waveform, clock, and the lines of text. */

import { byId, setText } from "../dom.js";
import { clock, seconds } from "../format.js";
import { t } from "../messages.js";
import { ENDED } from "../vocabulary.js";
import { Playlist } from "./playlist.js";
import { Waveform } from "./waveform.js";

const KEY_STEP_S = 2;

/** @param {any} state a JobState */
export function player(state) {
  const playlist = new Playlist(state.segments);
  const wave = byId("wave");
  const waveform = new Waveform(wave, state.segments, () => playlist.where());
  const button = byId("play");
  const lines = [...byId("segment-lines").querySelectorAll("[data-segment]")];
  let spoken = -1;

  if (state.output_url) playlist.finish(state.output_url, state.duration_s);

  function making() {
    return ENDED.includes(state.status) || state.step < 2 ? -1 : Math.floor((state.step - 2) / 2);
  }

  function showPlace() {
    const { index } = playlist.where();
    const now = playlist.playing ? index : -1;
    setText(byId("clock-now"), clock(playlist.seconds));
    setText(byId("clock-total"), clock(playlist.length));
    wave.setAttribute("aria-valuemax", String(Math.round(playlist.length)));
    wave.setAttribute("aria-valuenow", String(Math.round(playlist.seconds)));
    const words = { at: clock(playlist.seconds), duration: clock(playlist.length) };
    wave.setAttribute("aria-valuetext", t("audio_position", words));
    if (now !== spoken && now >= 0) reveal(lines[now]);
    spoken = now;
    waveform.draw();
  }

  /** Within its own list only: the page must not move under the reader. */
  function reveal(line) {
    const list = byId("segment-lines");
    const top = line.offsetTop - list.offsetTop;
    if (top < list.scrollTop || top + line.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top;
  }

  function show() {
    button.disabled = !playlist.ready;
    button.dataset.playing = String(playlist.playing);
    button.setAttribute("aria-label", t(playlist.playing ? "pause" : "play"));
    waveform.making = making();
    showPlace();
    state.segments.forEach((segment, index) => {
      const line = lines[index];
      line.disabled = !segment.audio_url;
      line.dataset.state = index === spoken ? "spoken" : index === waveform.making ? "making" : "";
      setText(line.querySelector(".segment-time"), segment.duration_s == null ? "" : seconds(segment.duration_s));
    });
    const count = { done: state.segments_done, total: state.segments.length };
    setText(byId("segments-ready"), t("segments_ready", count));
  }

  function go(index, share) {
    const segment = state.segments[index];
    if (segment?.audio_url) playlist.play(index, share * segment.duration_s);
  }

  function goSeconds(target) {
    const starts = playlist.starts();
    const index = Math.max(0, starts.findLastIndex((start) => start <= target));
    const segment = state.segments[index];
    go(index, Math.min(0.99, Math.max(0, target - starts[index]) / (segment.duration_s || 1)));
  }

  button.addEventListener("click", () => playlist.toggle());
  wave.addEventListener("click", (event) => {
    const { index, share } = waveform.at(event.clientX - wave.getBoundingClientRect().left);
    go(index, share);
  });
  wave.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -KEY_STEP_S, ArrowRight: KEY_STEP_S, Home: -Infinity };
    if (event.key === " ") playlist.ready && playlist.toggle();
    else if (event.key in steps) goSeconds(Math.max(0, playlist.seconds + steps[event.key]));
    else return;
    event.preventDefault();
  });
  byId("segment-lines").addEventListener("click", (event) => {
    const line = event.target.closest("[data-segment]");
    if (line) go(Number(line.dataset.segment), 0);
  });

  const animate = () => {
    if (!playlist.playing) return;
    showPlace();
    requestAnimationFrame(animate);
  };
  playlist.addEventListener("change", () => {
    show();
    animate();
  });
  playlist.addEventListener("move", show);
  state.addEventListener("change", ({ detail: frame }) => {
    if (frame.kind === "completed") playlist.finish(frame.output_url, frame.duration_s);
    if (frame.kind === "segment") playlist.arrived();
    show();
  });
  show();
}
