// A run's events as a list, newest first; updates that only move the progress share one line.
import { clock, setText } from "./moments.js";
import { LABELS, field, make, plain } from "./rows.js";

const STATE_EVENTS = new Set(["run_update", "completed", "error", "canceled"]);
const LINES_KEPT = 500;

export class Timeline {
  constructor(list, count) {
    this.list = list;
    this.count = count;
    this.line = null;
    this.total = 0;
  }

  /** Take the next event: {id, event, data, at}. */
  add(event) {
    this.total += 1;
    setText(this.count, String(event.id));
    const key = keyOf(event);
    if (this.line?.key !== key) this.begin(key, event);
    this.line.times += 1;
    this.fill(event);
  }

  begin(key, event) {
    const row = make("event-row");
    row.classList.add("mr-new");
    field(row, "dot").dataset.state = event.event === "run_update" ? event.data.status : event.event;
    setText(field(row, "title"), titleOf(event));
    this.list.prepend(row);
    this.line = { key, row, times: 0 };
    while (this.list.childElementCount > LINES_KEPT) this.list.lastElementChild.remove();
  }

  fill(event) {
    const { row, times } = this.line;
    setText(field(row, "time"), clock(event.at));
    field(row, "time").title = event.at;
    setText(field(row, "times"), times > 1 ? `×${times}` : "");
    setText(field(row, "detail"), detailOf(event));
  }
}

function keyOf({ event, data }) {
  return STATE_EVENTS.has(event) ? `${event} ${data.status} ${data.phase} ${data.attempt}` : event;
}

function titleOf({ event, data }) {
  if (!STATE_EVENTS.has(event)) return event.replaceAll("_", " ");
  const words = LABELS[data.status] ?? data.status;
  if (event !== "run_update") return words;
  const attempt = data.attempt > 1 ? ` · attempt ${data.attempt}` : "";
  return (data.status === "running" && data.phase ? data.phase : words) + attempt;
}

function detailOf({ event, data }) {
  if (!STATE_EVENTS.has(event)) return pairs(data);
  const parts = [];
  if (data.error?.message) parts.push(`${data.error.type}: ${data.error.message}`);
  if (data.progress) parts.push(`${Math.round(data.progress)} %`);
  if (data.next_try_at) parts.push(`next try at ${clock(data.next_try_at)}`);
  const counts = pairs(data.counts ?? {});
  if (counts) parts.push(counts);
  return parts.join(" · ");
}

function pairs(data) {
  return Object.entries(data)
    .filter(([name, value]) => !["ts", "run_id"].includes(name) && value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${plain(value)}`)
    .join(" · ");
}

/** The phases a run went through, each with its first and last moment. */
export function phasesOf(events) {
  const found = [];
  for (const { event, data, at } of events) {
    if (!STATE_EVENTS.has(event)) continue;
    const current = found[found.length - 1];
    if (current && !current.to) current.until = at;
    if (data.status === "running" && data.phase && current?.name !== data.phase) {
      if (current) current.to = at;
      found.push({ name: data.phase, from: at, to: null, until: at });
    }
  }
  const end = found[found.length - 1];
  const last = events[events.length - 1];
  if (end && last && last.event !== "run_update") end.to = last.at;
  return found;
}
