/** Requests to the REST API with the login session. */

import { t } from "./messages.js";

/** What the API answered when it refused, or that it could not be reached. */
export class ApiProblem extends Error {
  /** @param {{message: string, code?: string, hint?: string, fields?: Record<string, string>}} problem */
  constructor(problem) {
    super(problem.message);
    this.code = problem.code ?? "";
    this.hint = problem.hint ?? "";
    this.fields = problem.fields ?? {};
  }
}

export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value;
}

/** @param {number} status @param {string} text the body of a response that was no success */
export function problemOf(status, text) {
  try {
    return new ApiProblem(JSON.parse(text).error);
  } catch {
    return new ApiProblem({ message: status === 413 ? t("too_large") : `${t("failed")} (${status})` });
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {unknown} [body] sent as JSON, or as it is if it is a form
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>} the JSON of the answer; null if it has none. Throws ApiProblem.
 */
export async function request(method, url, body, headers = {}) {
  let response;
  const form = body instanceof FormData; // the browser itself says where its parts end
  const kind = form ? {} : { "Content-Type": "application/json" };
  try {
    response = await fetch(url, {
      method,
      headers: { "X-CSRFToken": csrfToken(), Accept: "application/json", ...kind, ...headers },
      body: form || body === undefined ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiProblem({ message: t("network_failed"), code: "network" });
  }
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return text ? JSON.parse(text) : null;
}
