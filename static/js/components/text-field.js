/** The text: grows, is counted, and shows faintly where it will be cut. */

import { byId, setText } from "../dom.js";
import { span, whole } from "../format.js";
import { t } from "../messages.js";
import { request } from "../api.js";

const WAIT_MS = 400;
const ZERO_WIDTH_SPACE = "\u200b";

/** @param {HTMLTextAreaElement} area */
export function textField(area) {
  const copy = byId("text-copy");
  const limit = Number(area.form.dataset.limit);
  let timer = 0;
  let asked = 0;

  /** @param {{text: string}[]} segments The answer's offsets count in a cleaned text, so the pieces are looked up. */
  function mark(segments) {
    const text = area.value;
    const parts = [];
    let from = 0;
    for (const segment of segments.slice(1)) {
      const at = text.indexOf(segment.text, from);
      if (at < 0) continue;
      const cut = document.createElement("span");
      cut.className = "cut";
      parts.push(text.slice(from, at), cut);
      from = at;
    }
    // A last line that is empty has no height of its own.
    copy.replaceChildren(...parts, text.slice(from) + ZERO_WIDTH_SPACE);
  }

  async function look() {
    const text = area.value;
    const turn = ++asked;
    if (!text.trim()) return setText(byId("text-estimate"), "");
    try {
      const answer = await request("POST", "/api/v1/text/split", { text });
      if (turn !== asked || text !== area.value) return;
      mark(answer.segments);
      const words = { time: span(answer.duration_s), segments: whole(answer.segments.length) };
      setText(byId("text-estimate"), answer.segments.length ? t("estimate", words) : "");
    } catch {
      // Marks and estimate are a courtesy: without them the form works as well.
      setText(byId("text-estimate"), "");
    }
  }

  function changed() {
    mark([]);
    const count = [...area.value].length;
    setText(byId("text-count"), count ? t("characters", { count: whole(count), limit: whole(limit) }) : "");
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  }

  area.addEventListener("input", changed);
  changed();
}
