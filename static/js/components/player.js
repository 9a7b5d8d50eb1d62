/** The listening part of the job page: play button, waveform, clock, and the lines of text. */

import { byId, say, setText, toast } from "../dom.js";
import { clock, seconds } from "../format.js";
import { t } from "../messages.js";
import { ENDED, Status } from "../vocabulary.js";
import { mediaKeys } from "./media-keys.js";
import { Playlist } from "./playlist.js";
import { Waveform } from "./waveform.js";

const KEY_STEP_S = 2;

/** @param {any} state a JobState */
export function player(state) {
  const playlist = new Playlist(state.segments, state, () => !ENDED.includes(state.status));
  const wave = byId("wave");
  const waveform = new Waveform(wave, state.segments, () => playlist.place);
  const button = byId("play");
  const lines = [...byId("segment-lines").querySelectorAll("[data-segment]")];
  let spoken = -1;
  let waiting = -1;
  let frame = 0;

  if (state.output_url) playlist.finish(state.output_url);

  function making() {
    return state.status !== Status.RUNNING || state.step < 2 ? -1 : Math.floor((state.step - 2) / 2);
  }

  function showPlace() {
    const now = playlist.playing && waiting < 0 ? playlist.place.index : -1;
    setText(byId("clock-now"), clock(playlist.seconds));
    setText(byId("clock-total"), clock(playlist.length));
    wave.setAttribute("aria-valuemax", String(Math.round(playlist.length)));
    wave.setAttribute("aria-valuenow", String(Math.round(playlist.seconds)));
    const words = { at: clock(playlist.seconds), duration: clock(playlist.length) };
    wave.setAttribute("aria-valuetext", t("audio_position", words));
    if (now !== spoken) light(now);
    waveform.draw();
  }

  function light(now) {
    spoken = now;
    if (now >= 0) reveal(lines[now]);
    showLines();
  }

  /** Within its own list only: the page must not move under the reader. */
  function reveal(line) {
    const list = byId("segment-lines");
    const top = line.offsetTop - list.offsetTop;
    if (top < list.scrollTop || top + line.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top;
  }

  function showLines() {
    state.segments.forEach((segment, index) => {
      const line = lines[index];
      line.disabled = !segment.audio_url;
      line.dataset.state = index === spoken ? "spoken" : index === waveform.making ? "making" : "";
      const time = line.querySelector(".segment-time");
      setText(time, segment.duration_s == null ? "" : seconds(segment.duration_s));
      time.dataset.odd = segment.odd ?? "";
      time.title = segment.odd ? t(`odd.${segment.odd}`) : "";
    });
  }

  function showWaiting() {
    if (waiting === playlist.waiting) return;
    waiting = playlist.waiting;
    const note = byId("waiting");
    note.dataset.shown = String(waiting >= 0);
    if (waiting < 0) return;
    setText(note, t("waiting_for_segment", { segment: waiting + 1 }));
    say(note.textContent);
  }

  function show() {
    button.disabled = !playlist.ready;
    button.dataset.playing = String(playlist.playing);
    button.setAttribute("aria-label", t(playlist.playing ? "pause" : "play"));
    waveform.making = making();
    showWaiting();
    showPlace();
    showLines();
    const count = { done: state.segments_done, total: state.segments.length };
    setText(byId("segments-ready"), t("segments_ready", count));
  }

  function go(index, share) {
    const segment = state.segments[index];
    if (segment?.audio_url) playlist.play({ index, offset: share * segment.duration_s });
  }

  /** A slider's keys move it; only the space bar starts and stops. */
  function goSeconds(target) {
    playlist.seek(playlist.timeline.place(Math.min(Math.max(0, target), playlist.length)));
  }

  button.addEventListener("click", () => playlist.toggle());
  wave.addEventListener("click", (event) => {
    const { index, share } = waveform.at(event.clientX - wave.getBoundingClientRect().left);
    go(index, share);
  });
  wave.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -KEY_STEP_S, ArrowRight: KEY_STEP_S, Home: -Infinity, End: Infinity };
    if (event.key !== " " && !(event.key in steps)) return;
    event.preventDefault();
    if (!playlist.ready) return;
    if (event.key === " ") playlist.toggle();
    else goSeconds(playlist.seconds + steps[event.key]);
  });
  byId("segment-lines").addEventListener("click", (event) => {
    const line = event.target.closest("[data-segment]");
    if (line) go(Number(line.dataset.segment), 0);
  });

  const animate = () => {
    if (!playlist.playing) return;
    showPlace();
    frame = requestAnimationFrame(animate);
  };
  playlist.addEventListener("change", () => {
    show();
    cancelAnimationFrame(frame);
    animate();
  });
  playlist.addEventListener("problem", () => toast(t("play_failed")));
  state.addEventListener("change", ({ detail: news }) => {
    if (news.kind === "completed") playlist.finish(news.output_url);
    if (news.kind === "segment") {
      playlist.arrived(news.segment.index);
      waveform.arrived(news.segment.index);
    }
    if (news.kind === "chunk") waveform.arrived(news.chunk.index, news.chunk.start === 0);
    if (news.kind !== "progress" && news.kind !== "log") playlist.look();
    show();
  });
  mediaKeys(playlist, state);
  show();
}
