/** An administrator's buttons: restart workers, unload models. */

import { ApiProblem, request } from "../api.js";
import { byId, toast } from "../dom.js";
import { t } from "../messages.js";

export function workerOrders() {
  const all = byId("worker-orders");
  if (!all) return;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-order]");
    if (!button) return;
    const order = { command: button.dataset.order, name: button.closest("[data-worker]")?.dataset.worker ?? null };
    button.disabled = true;
    try {
      const { ordered } = await request("POST", all.dataset.api, order);
      toast(ordered.length ? t(`ordered.${order.command}`) : t("warning.no_workers"));
    } catch (problem) {
      if (!(problem instanceof ApiProblem)) throw problem;
      toast(problem.message);
    } finally {
      button.disabled = false;
    }
  });
}
