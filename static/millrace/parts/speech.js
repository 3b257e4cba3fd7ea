// What is said, cue by cue; each place stands beside the cue that names it.

export class Speech {
  /**
   * @param {HTMLElement} list
   * @param {{chosen: Function, link: Function}} on chosen(n); link(ms) gives an address, or ""
   */
  constructor(list, on) {
    this.list = list;
    this.on = on;
    this.cues = [];
    this.rows = [];
  }

  fill(cues) {
    this.cues = cues;
    this.rows = cues.map(([start, , text]) => {
      const row = document.createElement("li");
      const said = document.createElement("span");
      const chips = document.createElement("span");
      said.textContent = text;
      chips.className = "chips";
      row.append(moment(start, this.on.link(start)), said, chips);
      return row;
    });
    this.list.replaceChildren(...this.rows);
  }

  /** Put the numbers of places beside their cues. */
  mark(places) {
    this.list.querySelectorAll(".chips").forEach((node) => node.childElementCount && node.replaceChildren());
    places.forEach((place, index) => {
      const row = this.rows[this.at(milliseconds(place.timecode))];
      if (!row) return;
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "stop is-chip";
      chip.textContent = index + 1;
      chip.title = place.location;
      chip.setAttribute("aria-label", `${place.location} on the map`);
      chip.addEventListener("click", () => this.on.chosen(place.n));
      row.querySelector(".chips").append(chip);
    });
  }

  /** Which cue is said at a moment: the last that has begun. */
  at(ms) {
    let [low, high] = [0, this.cues.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cues[middle][0] <= ms) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  choose(place) {
    this.list.querySelector(".is-chosen")?.classList.remove("is-chosen");
    const row = place && this.rows[this.at(milliseconds(place.timecode))];
    if (!row) return;
    row.classList.add("is-chosen");
    // within its own list: the page stays where it is
    this.list.scrollTop += row.getBoundingClientRect().top - this.list.getBoundingClientRect().top - this.list.clientHeight / 3;
  }
}

/** A moment of the video: a link that opens it there, where there is something to open. */
export function moment(ms, address) {
  const node = document.createElement(address ? "a" : "span");
  node.className = "moment";
  node.textContent = clock(ms);
  if (address) {
    node.href = address;
    node.target = "_blank";
    node.rel = "noopener noreferrer";
    node.title = "Open the video at this moment";
  }
  return node;
}

export function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export function milliseconds(timecode) {
  const [, hours, minutes, seconds, ms] = /(\d+):(\d+):(\d+)[,.](\d+)/.exec(timecode) ?? [0, 0, 0, 0, 0];
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(ms);
}

/** The address that opens a video at a moment. */
export function linkAt(url, ms) {
  if (!url) return "";
  const seconds = Math.floor(ms / 1000);
  if (/^https:\/\/([\w-]+\.)*(youtube\.com|youtu\.be)\//.test(url)) return `${url}${url.includes("?") ? "&" : "?"}t=${seconds}s`;
  return `${url.split("#")[0]}#t=${seconds}`;
}
