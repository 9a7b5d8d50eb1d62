/** The seed: empty means a fresh one for every job; the die draws one, the lock keeps it. */

import { byId, setText } from "../dom.js";
import { t } from "../messages.js";

/** @param {HTMLInputElement} input */
export function seedField(input) {
  const die = byId("seed-die");
  const lock = byId("seed-lock");
  const note = byId("seed-note");
  let locked = input.value !== "";

  function show() {
    lock.setAttribute("aria-pressed", String(locked));
    lock.querySelector("use").setAttribute("href", locked ? "#i-lock" : "#i-unlock");
    setText(note, t(locked ? "seed_locked" : "seed_random"));
  }

  function draw() {
    input.value = String(crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  die.hidden = lock.hidden = false;
  die.addEventListener("click", () => {
    draw();
    locked = true;
    show();
  });
  lock.addEventListener("click", () => {
    locked = !locked;
    if (locked && !input.value) draw();
    show();
  });
  input.addEventListener("input", () => {
    locked = input.value !== "";
    show();
  });
  show();

  return {
    /** After a job was submitted. */
    used() {
      if (!locked) input.value = "";
    },
  };
}
