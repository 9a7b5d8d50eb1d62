/** The account page: API keys and saved seeds. */

import { request } from "./api.js";
import { byId, setText, toast } from "./dom.js";
import { t } from "./messages.js";
import "./page.js";

byId("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    const answer = await request("POST", "/api/v1/keys", { name: form.elements.namedItem("name").value });
    form.reset();
    setText(byId("new-key-text"), t("key_created"));
    setText(byId("new-key-value"), answer.key);
    byId("new-key-copy").dataset.copy = answer.key;
    byId("new-key").hidden = false;
  } catch (problem) {
    toast(problem.message);
  }
});

async function remove(row, url, words) {
  try {
    await request("DELETE", url);
    row.remove();
    toast(words);
  } catch (problem) {
    toast(problem.message);
  }
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (event.target.closest("[data-revoke]") && confirm(t("confirm_revoke", { name: row.dataset.name }))) {
    remove(row, `/api/v1/keys/${row.dataset.key}`, t("key_revoked"));
  }
  if (event.target.closest("[data-forget]")) remove(row, `/api/v1/seeds/${row.dataset.seed}`, t("deleted"));
});
