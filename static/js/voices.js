/** The voices page: make, share, delete. */

import { request } from "./api.js";
import { byId, toast } from "./dom.js";
import { t } from "./messages.js";
import "./page.js";
import { voiceDialogs } from "./components/voice-dialogs.js";

byId("voice-new").hidden = false;
voiceDialogs(() => location.reload());

async function share(button, tile) {
  const shared = button.ariaPressed !== "true";
  button.disabled = true;
  try {
    await request("PATCH", `/api/v1/voices/${tile.dataset.voice}`, { shared });
    button.ariaPressed = String(shared);
    tile.querySelector("[data-shared]").hidden = !shared;
    toast(t(shared ? "shared" : "not_shared"));
  } catch (problem) {
    toast(problem.message);
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-share]");
  if (button) share(button, button.closest(".voice-tile"));
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-delete]")) return;
  const { name } = event.target.closest(".voice-tile").dataset;
  if (!confirm(t("confirm_delete_voice", { name }))) event.preventDefault();
});
