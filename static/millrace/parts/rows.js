// Rows made from <template>s and filled by name: text only, never markup.
import { setText } from "./moments.js";

export const LABELS = { queued: "Queued", running: "Running", partial: "Partial", failed: "Failed", done: "Done", canceled: "Canceled" };

export function isFinal(status) {
  return !["queued", "running"].includes(status);
}

export function make(templateId) {
  return document.getElementById(templateId).content.firstElementChild.cloneNode(true);
}

export function field(row, name) {
  return row.querySelector(`[data-field="${name}"]`);
}

export function show(node, visible) {
  if (node) node.hidden = !visible;
}

/**
 * Bring the children of a list in line with items, keeping the rows that stay.
 *
 * @param {Element} list
 * @param {Array} items in the order wanted
 * @param {{key: Function, template: string, fill: Function, isFresh?: boolean}} how
 */
export function sync(list, items, how) {
  list.querySelectorAll(":scope > :not([data-key])").forEach((placeholder) => placeholder.remove());
  const old = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let place = list.firstElementChild;
  for (const item of items) {
    const key = String(how.key(item));
    let row = old.get(key);
    old.delete(key);
    if (!row) {
      row = make(how.template);
      row.dataset.key = key;
      if (how.isFresh) row.classList.add("mr-new");
    }
    how.fill(row, item);
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
  old.forEach((row) => row.remove());
}

/** Counts as "candles 1,200  pages 3". */
export function fillCounts(node, counts) {
  const found = Object.entries(counts ?? {});
  const text = JSON.stringify(found);
  if (node.dataset.shown === text) return;
  node.dataset.shown = text;
  node.replaceChildren(...found.map(([name, value]) => {
    const chip = document.createElement("span");
    const number = document.createElement("b");
    number.textContent = plain(value);
    chip.append(`${name.replaceAll("_", " ")} `, number);
    return chip;
  }));
}

export function plain(value) {
  if (typeof value === "number") return value.toLocaleString("en", { maximumFractionDigits: 2 });
  if (value === null) return "—";
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([name, inner]) => `${name.replaceAll("_", " ")} ${plain(inner)}`).join(", ");
  return String(value);
}

export function fillPill(node, status) {
  node.dataset.state = status;
  setText(node, LABELS[status] ?? status);
}
