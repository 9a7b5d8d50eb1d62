/** Says on every page with places that the queue is paused, and by whom. */

import { byId, setText } from "../dom.js";
import { t } from "../messages.js";

/** @param {{paused: boolean, paused_by: string}} queue */
export function showPause(queue) {
  const box = byId("queue-pause");
  if (!box) return;
  box.hidden = !queue.paused;
  const text = queue.paused_by ? t("queue_paused_by", { name: queue.paused_by }) : t("queue_paused");
  if (queue.paused) setText(box.querySelector("[data-text]"), text);
}
