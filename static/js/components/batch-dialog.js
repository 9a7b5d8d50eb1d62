/** Several texts at once: pasted lines or a file, looked at before anything is made. */

import { ApiProblem, request } from "../api.js";
import { byId, make, setText } from "../dom.js";
import { bytes, plural } from "../format.js";
import { t } from "../messages.js";
import { dropArea } from "./drop.js";

const WAIT_MS = 500;
const SETTINGS = ["prompt_audio", "instruct", "mode", "seed", "speed", "priority", "format"];

function rowOf(row, problems) {
  const { text = "", ...rest } = row.fields;
  const more = [row.label, ...Object.entries(rest).filter(([, value]) => value).map(([name, value]) => `${name}: ${value}`)];
  const item = make(
    "li",
    { class: "batch-row" },
    make("span", { class: "line-number" }, String(row.line)),
    make("span", { class: "row-text" }, text || "–"),
  );
  const said = more.filter(Boolean).join(" · ");
  if (said) item.append(make("span", { class: "row-more" }, said));
  item.append(...problems.map((one) => make("span", { class: "problem" }, `${one.field}: ${one.message}`)));
  return item;
}

/** @param {HTMLFormElement} studio whose voice and settings hold for all @param {(answer: any) => void} done */
export function batchDialog(studio, done) {
  const form = byId("batch-form");
  const lines = byId("batch-lines");
  const input = byId("batch-file");
  const button = byId("batch-submit");
  let timer = 0;
  let turn = 0;
  let attempt = "";

  function chosen() {
    if (input.files.length) return input.files[0];
    return lines.value.trim() ? new File([lines.value], `${t("pasted_texts")}.txt`, { type: "text/plain" }) : null;
  }

  function values(file) {
    const data = new FormData();
    const settings = new FormData(studio);
    for (const name of SETTINGS) data.set(name, settings.get(name) ?? "");
    data.set("file", file);
    return data;
  }

  function complain(text) {
    setText(byId("batch-problem"), text);
    byId("batch-problem").hidden = !text;
  }

  function offer(count, able) {
    button.disabled = !able;
    setText(button, t(`batch_submit.${plural(count)}`, { count }));
  }

  function show({ kind, encoding, columns, ignored, rows, problems }) {
    const parts = [
      make("strong", {}, t(`batch_jobs.${plural(rows.length)}`, { count: rows.length })),
      make("span", {}, `${kind.toUpperCase()}, ${encoding.toUpperCase()}`),
    ];
    if (kind === "csv") parts.push(make("span", {}, t("batch_columns", { names: columns.join(", ") })));
    if (ignored.length) parts.push(make("span", {}, t("batch_ignored", { names: ignored.join(", ") })));
    const wrong = problems.length;
    if (wrong) parts.push(make("span", { class: "wrong" }, t(`batch_problems.${plural(wrong)}`, { count: wrong })));
    byId("batch-summary").replaceChildren(...parts);
    const items = rows.map((row, index) => rowOf(row, problems.filter((one) => one.row === index)));
    byId("batch-rows").replaceChildren(...items);
    byId("batch-preview").hidden = false;
    items[problems[0]?.row]?.scrollIntoView({ block: "nearest" });
    offer(rows.length, !wrong);
  }

  async function look() {
    const asked = ++turn;
    const file = chosen();
    const limit = Number(form.dataset.limit);
    complain("");
    button.disabled = true;
    attempt = "";
    if (!file) return (byId("batch-preview").hidden = true);
    if (file.size > limit) return complain(t("file_too_large", { size: bytes(file.size), limit: bytes(limit) }));
    try {
      const answer = await request("POST", form.dataset.preview, values(file));
      if (asked === turn) show(answer);
    } catch (problem) {
      if (!(problem instanceof ApiProblem)) throw problem;
      if (asked !== turn) return;
      byId("batch-preview").hidden = true;
      complain(Object.values(problem.fields)[0] ?? problem.message);
    }
  }

  dropArea(form.querySelector("[data-drop]"));
  lines.addEventListener("input", () => {
    input.value = "";
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  });
  input.addEventListener("change", () => {
    lines.value = "";
    look();
  });
  document.querySelector("[data-open=batch-dialog]").addEventListener("click", look); // settings may have changed

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    // A retry after a lost answer must not make the jobs twice: the key changes only with what is sent.
    attempt ||= crypto.randomUUID?.() ?? String(Math.random());
    try {
      done(await request("POST", form.dataset.api, values(chosen()), { "Idempotency-Key": attempt }));
    } catch (problem) {
      if (!(problem instanceof ApiProblem)) throw problem;
      complain(Object.values(problem.fields)[0] ?? problem.message);
      button.disabled = false;
    }
  });
}
