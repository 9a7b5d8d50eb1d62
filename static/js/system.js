/** The system page: gauges, workers, warnings, about once a second. */

import { byId } from "./dom.js";
import { connect } from "./page.js";
import { Host } from "./components/host.js";
import { queueSwitch, showQueue } from "./components/queue-switch.js";
import { showWarnings } from "./components/warnings.js";
import { workerOrders } from "./components/worker-orders.js";
import { showWorkers } from "./components/workers.js";

const FULL_QUEUE = 20;
const past = JSON.parse(byId("past").textContent);
if (past.queue) past.queue = past.queue.map((queued) => queued / FULL_QUEUE);
const first = document.querySelector("[data-host]");
const hosts = new Map([[first.dataset.host, new Host(first, first.dataset.host, past)]]);

function showHosts(machines) {
  for (const machine of machines) {
    if (!hosts.has(machine.name)) hosts.set(machine.name, Host.make(machine.name, past));
    hosts.get(machine.name).show(machine, machines.length > 1);
  }
  for (const [name, host] of hosts) {
    if (machines.some((machine) => machine.name === name)) continue;
    host.element.remove();
    hosts.delete(name);
  }
}

function show(frame) {
  showHosts(frame.hosts);
  hosts.get(first.dataset.host).showQueue(frame.queue, FULL_QUEUE);
  showQueue(frame.queue);
  showWorkers(frame.workers, frame.at);
  const failed = frame.workers.filter((worker) => worker.state === "failed");
  showWarnings(byId("warnings"), frame.details, failed.map(({ name, message }) => ({ worker: name, message })));
}

show(JSON.parse(byId("gauges").textContent));
workerOrders();
queueSwitch();
connect().followScope("system", show);
