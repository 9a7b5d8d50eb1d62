/** The system page: gauges, workers, warnings, about once a second. */

import { byId, icon, make } from "./dom.js";
import { bytes, percent } from "./format.js";
import { t } from "./messages.js";
import { connect } from "./page.js";
import { Gauge } from "./components/gauge.js";
import { queueSwitch, showQueue } from "./components/queue-switch.js";
import { showWorkers } from "./components/workers.js";

const FULL_QUEUE = 20;
const gauges = Object.fromEntries(
  [...document.querySelectorAll("[data-gauge]")].map((element) => [element.dataset.gauge, new Gauge(element)]),
);

function usage({ used, total }) {
  return [used / total, `${percent(used / total)} %`, t("used_of", { used: bytes(used), total: bytes(total) })];
}

function showGpu(gpu, index) {
  const name = `gpu${index}`;
  gauges[name] ??= Gauge.make(gpu.name);
  gauges[name].show(...usage({ used: gpu.memory_used, total: gpu.memory_total }));
}

function showWarnings(warnings) {
  const box = byId("warnings");
  if (box.dataset.shown === warnings.join()) return;
  box.dataset.shown = warnings.join();
  const texts = warnings.map((warning) => make("div", { class: "callout warning" }, icon("alert"), t(`warning.${warning}`)));
  box.replaceChildren(...texts);
}

function show(frame) {
  gauges.cpu.show(frame.cpu, `${percent(frame.cpu)} %`);
  gauges.memory.show(...usage(frame.memory));
  const { queued, running } = frame.queue;
  gauges.queue.show(queued / FULL_QUEUE, String(queued), t("queue_now", { queued, running }));
  frame.gpus.forEach(showGpu);
  showQueue(frame.queue);
  showWorkers(frame.workers, frame.at ?? Date.now() / 1000);
  showWarnings(frame.warnings);
}

show(JSON.parse(byId("gauges").textContent));
queueSwitch();
connect().followScope("system", show);
