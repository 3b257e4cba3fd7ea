// Moments and durations in words, counted on while the page is open.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

/** Seconds in the two largest units: "2 h 5 min"; below ten seconds with a decimal. */
export function duration(seconds, decimals = true) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "—";
  if (seconds < 10 && decimals) return `${Math.max(0, seconds).toFixed(1)} s`;
  let left = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [name, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count} ${name}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** A moment's distance from now: "3 min ago", "in 14 s". */
export function relative(text, now = Date.now()) {
  const seconds = (now - Date.parse(text)) / 1000;
  const size = Math.abs(seconds);
  if (size < 2) return "now";
  const words = size < 3600 * 6 ? duration(size, false) : coarse(size);
  const short = size < 3600 ? words.split(" ").slice(0, 2).join(" ") : words;
  return seconds > 0 ? `${short} ago` : `in ${short}`;
}

function coarse(seconds) {
  return duration(seconds, false).split(" ").slice(0, 2).join(" ");
}

export function secondsBetween(from, to) {
  return from ? ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000 : null;
}

/** The clock time of a moment, UTC: "07:15:04". */
export function clock(text) {
  return new Date(text).toISOString().slice(11, 19);
}

/** Let a <time data-relative> show a moment; an empty one shows a dash. */
export function setMoment(node, text) {
  if (!text) {
    node.removeAttribute("datetime");
    setText(node, "—");
    return;
  }
  node.setAttribute("datetime", text);
  node.title = `${new Date(text).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  setText(node, relative(text));
}

export function makeMoment(text) {
  const node = document.createElement("time");
  node.className = "mr-time";
  node.dataset.relative = "";
  setMoment(node, text);
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function keepMomentsCurrent() {
  const tick = () => {
    document.querySelectorAll("time[data-relative][datetime]").forEach((node) => setText(node, relative(node.dateTime)));
    document.querySelectorAll("[data-elapsed-since]").forEach((node) => {
      setText(node, duration(secondsBetween(node.dataset.elapsedSince), false));
    });
  };
  tick();
  setInterval(tick, 1000);
}
