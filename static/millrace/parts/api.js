// Asking our own API as the person who is signed in.

/**
 * Send a request and return the JSON of its answer.
 *
 * @param {string} url
 * @param {{method?: string, csrf?: string, json?: object, form?: FormData}} wish
 * @throws {Error} with the problem's own words, its `code` and its `status`
 */
export async function ask(url, { method = "GET", csrf = "", json, form } = {}) {
  const headers = { Accept: "application/json" };
  if (csrf) headers["X-CSRFToken"] = csrf;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: json === undefined ? form : JSON.stringify(json), credentials: "same-origin" });
  } catch {
    throw Object.assign(new Error("The server is not reached. Is the network there?"), { status: 0, code: "unreached" });
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  const words = told.detail || told.title || `The server answers ${answer.status}.`;
  throw Object.assign(new Error(words), { status: answer.status, code: told.code ?? "" });
}

/** Show a sentence in an element that is hidden without one. */
export function say(node, text) {
  node.textContent = text;
  node.hidden = !text;
}
