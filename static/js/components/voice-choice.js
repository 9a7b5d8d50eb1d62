/** The voice card of the studio: chosen in a dialog, or fresh from an upload or a recording. */

import { byId, setText } from "../dom.js";
import { language, seconds } from "../format.js";

function showCard(option) {
  byId("voice-card").hidden = false;
  setText(byId("voice-name"), option.dataset.name);
  byId("voice-play").dataset.audio = option.dataset.audio;
  byId("voice-meta").replaceChildren(...option.querySelector(".voice-meta").cloneNode(true).childNodes);
  for (const other of byId("voice-options").children) other.dataset.chosen = String(other === option);
}

function search(words) {
  let found = 0;
  for (const option of byId("voice-options").children) {
    option.hidden = !option.textContent.toLowerCase().includes(words.trim().toLowerCase());
    found += option.hidden ? 0 : 1;
  }
  byId("no-voice-found").hidden = found > 0;
}

/** @param {HTMLSelectElement} select holds the value; hidden while the card stands for it */
export function voiceChoice(select) {
  const options = byId("voice-options");
  select.hidden = true;
  byId("voice-card").hidden = false;
  byId("voice-actions").hidden = false;
  byId("voice-search").addEventListener("input", (event) => search(event.target.value));
  options.addEventListener("click", (event) => {
    if (!event.target.closest("[data-choose]")) return;
    const option = event.target.closest("[data-voice]");
    select.value = option.dataset.voice;
    showCard(option);
    byId("voice-dialog").close();
  });

  return {
    /** @param {any} voice as the API answers */
    add(voice) {
      select.add(new Option(voice.name, voice.id, true, true), 0);
      const option = byId("voice-option-template").content.firstElementChild.cloneNode(true);
      Object.assign(option.dataset, { voice: voice.id, name: voice.name, audio: voice.audio_url });
      option.querySelector(".play-button").dataset.audio = voice.audio_url;
      setText(option.querySelector(".voice-name"), voice.name);
      const meta = [seconds(voice.duration_s), language(voice.language), voice.owner_name];
      option.querySelector(".voice-meta").replaceChildren(
        ...meta.map((text) => Object.assign(document.createElement("span"), { textContent: text })),
      );
      options.prepend(option);
      select.value = voice.id;
      showCard(option);
    },
  };
}
