/** What was typed outlives a reload, a crash and a lost connection. */

const FIELDS = ["text", "instruct"];

/** @param {HTMLFormElement} form @param {string} user drafts of different people do not mix */
export function keepDraft(form, user) {
  const key = `draft:${user}`;
  const stored = (() => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "{}");
    } catch {
      return {};
    }
  })();
  for (const name of FIELDS) {
    const field = form.elements.namedItem(name);
    if (!field.value && typeof stored[name] === "string") field.value = stored[name];
  }
  form.addEventListener("input", () => {
    const values = Object.fromEntries(FIELDS.map((name) => [name, form.elements.namedItem(name).value]));
    localStorage.setItem(key, JSON.stringify(values));
  });
}
