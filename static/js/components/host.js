/** The gauges of one machine: processor, memory, disk, and one for each GPU. */

import { byId, setText } from "../dom.js";
import { bytes, percent } from "../format.js";
import { t } from "../messages.js";
import { Gauge } from "./gauge.js";

/** As synthesis/monitor/outlook.py warns. */
const MEMORY_LOW = 0.9;
const GPU_MEMORY_LOW = 0.95;
const DISK_LOW_BYTES = 2 * 1024 ** 3;

const usedOf = ({ used, total }) => t("used_of", { used: bytes(used), total: bytes(total) });

export class Host {
  #gauges = {};

  /** @param {HTMLElement} element @param {string} name @param {Record<string, number[]>} past */
  constructor(element, name, past) {
    this.element = element;
    this.name = name;
    this.past = past;
    for (const one of element.querySelectorAll("[data-gauge]")) this.#add(one.dataset.gauge, one);
  }

  /** A machine that the page does not show yet. */
  static make(name, past) {
    const element = byId("host-template").content.firstElementChild.cloneNode(true);
    setText(element.querySelector("[data-host-name]"), name);
    element.dataset.host = name;
    byId("hosts").append(element);
    return new Host(element, name, past);
  }

  /** @param {any} machine @param {boolean} named whether there are several, so that it needs its name */
  show(machine, named) {
    this.element.querySelector("[data-host-name]").hidden = !named;
    this.#gauges.cpu.show(machine.cpu, `${percent(machine.cpu)} %`, t("cores", { count: machine.cores }));
    const { memory, disk } = machine;
    this.#space("memory", memory, usedOf(memory), { low: memory.used > MEMORY_LOW * memory.total });
    this.#space("disk", disk, usedOf(disk), { low: disk.total - disk.used < DISK_LOW_BYTES });
    machine.gpus.forEach((gpu, index) => this.#gpu(index, gpu));
  }

  /** @param {{queued: number, running: number}} queue @param {number} full how many fill the gauge */
  showQueue({ queued, running }, full) {
    this.#gauges.queue.show(queued / full, String(queued), t("queue_now", { queued, running }));
  }

  #add(key, element, second) {
    const past = this.past[key === "queue" ? key : `${key}@${this.name}`];
    this.#gauges[key] = new Gauge(element, past, second && this.past[`${second}@${this.name}`]);
  }

  #space(key, space, note, more) {
    const share = space.total ? space.used / space.total : 0;
    this.#gauges[key].show(share, `${percent(share)} %`, note, more);
  }

  #gpu(index, gpu) {
    const key = `gpu${index}`;
    if (!this.#gauges[key]) {
      const element = Gauge.element(`GPU ${index}`, gpu.name);
      this.element.querySelector(".gauges").append(element);
      this.#add(key, element, `load${index}`);
    }
    const space = { used: gpu.memory_used, total: gpu.memory_total };
    const load = gpu.load == null ? [] : [t("load", { load: percent(gpu.load) })];
    const note = [usedOf(space), ...load, gpu.name].join("\n");
    const low = space.used > GPU_MEMORY_LOW * space.total;
    this.#space(key, space, note, { low, second: gpu.load ?? undefined });
  }
}
