/** The words of the page, translated by the server (synthesis/web/messages.py). */

const texts = JSON.parse(document.getElementById("messages").textContent);

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the `{name}` places
 */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
