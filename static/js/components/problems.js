/** What is wrong with which field, beside the field. */

/** @param {HTMLFormElement} form @param {Record<string, string>} fields @param {string} [rest] what belongs to no field */
export function showProblems(form, fields, rest = "") {
  const left = { ...fields };
  for (const place of form.querySelectorAll("[data-problem]")) {
    const name = place.dataset.problem;
    const text = name ? left[name] : "";
    delete left[name];
    place.textContent = text ?? "";
    place.hidden = !text;
    form.elements.namedItem(name)?.setAttribute?.("aria-invalid", String(Boolean(text)));
  }
  const place = form.querySelector('[data-problem=""]');
  const text = Object.values(left)[0] ?? (Object.keys(fields).length ? "" : rest);
  if (place) {
    place.textContent = text;
    place.hidden = !text;
  }
  const wrong = form.querySelector('[aria-invalid="true"]');
  wrong?.closest("details")?.setAttribute("open", "");
  wrong?.focus();
}
