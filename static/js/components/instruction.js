/** Chips that add their words to the instruction and take them away again. */

const SEPARATOR = document.documentElement.lang.startsWith("zh") ? "，" : ", ";

/** @param {HTMLInputElement} input @param {HTMLElement} chips */
export function instruction(input, chips) {
  chips.hidden = false;
  const parts = () => input.value.split(/[,，]\s*/).map((part) => part.trim()).filter(Boolean);

  function show() {
    const said = parts();
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(said.includes(chip.dataset.words)));
  }

  chips.addEventListener("click", (event) => {
    const words = event.target.closest("[data-words]")?.dataset.words;
    if (!words) return;
    const said = parts();
    const others = said.filter((part) => part !== words);
    input.value = (others.length < said.length ? others : [...said, words]).join(SEPARATOR);
    show();
  });
  input.addEventListener("input", show);
  show();
}
