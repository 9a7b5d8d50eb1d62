/** Drop a file on the field; one that can be heard is, before it goes up. */

/** @param {HTMLElement} area */
export function dropArea(area) {
  const input = area.querySelector("input[type=file]");
  const preview = area.querySelector("[data-preview]");
  const form = input.form;

  function chosen() {
    const [file] = input.files;
    URL.revokeObjectURL(preview.src);
    preview.hidden = !file;
    if (!file) return;
    preview.src = URL.createObjectURL(file);
    const name = form.elements.namedItem("name");
    if (!name.value) name.value = file.name.replace(/\.[^.]+$/, "").slice(0, 80);
  }

  for (const kind of ["dragenter", "dragover"]) {
    area.addEventListener(kind, (event) => {
      event.preventDefault();
      area.dataset.over = "true";
    });
  }
  for (const kind of ["dragleave", "drop"]) area.addEventListener(kind, () => delete area.dataset.over);
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change"));
    }
  });
  if (!preview) return;
  input.addEventListener("change", chosen);
  form.addEventListener("reset", () => (preview.hidden = true));
}
