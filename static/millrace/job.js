// The page of one job: its events as they come, the map, the speech, and putting right what is wrong.
import { ask, say } from "./parts/api.js";
import { Atlas } from "./parts/atlas.js";
import { Editor } from "./parts/editing.js";
import { Speech, clock, linkAt, milliseconds, moment } from "./parts/speech.js";

const FINAL = new Set(["done", "partial", "failed", "canceled"]);
const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);
const { urls } = facts;
const state = { job_id: facts.job_id, status: facts.status, phase: null, progress: 0, waiting: null, error: null };
const strategy = `?strategy=${facts.strategy}`;
const places = new Map();
let chosen = null;
let hasSpeech = false;

const link = (ms) => linkAt(facts.video_url, ms);
const atlas = new Atlas(byId("map"), facts.tiles, { chosen: choose, moved });
const speech = new Speech(byId("cues"), { chosen: choose, link });
const editor = new Editor({
  csrf: facts.csrf,
  address: (n) => `${urls.video}/locations/${n}${strategy}`,
  places: shown,
  changed,
  drag: (n) => { atlas.letDrag(n); tell("Drag the marker to where the place is."); },
});

function shown() {
  return [...places.values()].sort((one, other) => milliseconds(one.timecode) - milliseconds(other.timecode) || one.n - other.n);
}

function drawState() {
  const pill = byId("status");
  pill.textContent = state.status;
  pill.dataset.status = state.status;
  byId("progress").value = state.progress;
  byId("progress").dataset.status = state.status;
  byId("percent").textContent = `${Math.round(state.progress)} %`;
  byId("doing").textContent = doing();
  byId("cancel").hidden = FINAL.has(state.status);
  byId("retry").hidden = !["failed", "canceled"].includes(state.status);
  say(byId("error"), state.status === "failed" && state.error ? why(state.error) : "");
  if (FINAL.has(state.status)) { byId("no-places").textContent = "None."; if (!hasSpeech) byId("no-cues").textContent = "Not known."; }
  drawPhases();
}

function doing() {
  const words = { metadata: "looks for what is said", compression: "picks the telling sentences", summary: "looks for the places", geocode: "puts the places on the map" };
  if (state.status === "queued") return "waits for its turn";
  if (state.status === "running" && state.waiting) {
    const { what, percent } = state.waiting;
    return `waits for the names of the world's places, which are made ready once for this installation (${what.replace("names: ", "")}, ${percent} %); that takes half a minute or so, then it goes on by itself`;
  }
  if (state.status === "running") return words[state.phase] ?? "begins";
  const ends = { done: state.stats?.places_total === 0 ? "no place is named in what is said" : "all places are on the map", partial: "some places are not on the map", failed: "it failed", canceled: "canceled; what was found is kept" };
  return ends[state.status] ?? "";
}

/** What went wrong, for people: the code before the colon is for programs. */
function why({ type, message }) {
  const words = message.replace(/^[a-z_]+: /, "");
  const told = words.charAt(0).toUpperCase() + words.slice(1).replace(/\.$/, "");
  const hints = { deterministic: "Trying again will hardly change that.", transient: "That may pass: try again in a while." };
  return `${told}. ${hints[type] ?? `(${type})`}`;
}

function drawPhases() {
  const names = facts.phases;
  const now = names.indexOf(state.phase);
  byId("phases").querySelectorAll("li").forEach((node, index) => {
    const isDone = ["done", "partial"].includes(state.status) || index < now;
    node.dataset.state = isDone ? "done" : index === now ? (FINAL.has(state.status) ? state.status : "now") : "";
    if (index === now && !isDone) node.setAttribute("aria-current", "step"); else node.removeAttribute("aria-current");
  });
}

function drawPlaces() {
  const all = shown();
  atlas.show(all);
  speech.mark(all);
  byId("count").textContent = all.length || "";
  byId("no-places").hidden = all.length > 0;
  byId("places").replaceChildren(...all.map(placeRow));
  if (chosen !== null) choose(chosen, { still: true });
}

function placeRow(place, index) {
  const row = document.createElement("li");
  const number = element("span", "stop is-chip", index + 1);
  const name = element("button", "name", place.location);
  const about = element("span", "about");
  const edit = element("button", "button is-quiet is-small", "Edit");
  row.dataset.n = place.n;
  name.type = edit.type = "button";
  number.dataset.marker = place.marker || "pin";
  name.addEventListener("click", () => choose(place.n));
  edit.setAttribute("aria-label", `Edit ${place.location}`);
  edit.addEventListener("click", () => editor.open(place));
  about.append(moment(milliseconds(place.timecode), link(milliseconds(place.timecode))));
  for (const tag of place.tags.slice(0, 4)) about.append(element("span", "tag", tag));
  if (place.raw && place.raw !== place.location) about.append(element("span", "raw", `“${place.raw}”`));
  if (place.correction) about.append(element("span", "tag is-good", `put right by ${place.correction.by}`));
  row.append(number, name, edit, about);
  if (place.description) row.append(element("p", "told", place.description));
  return row;
}

function element(tag, className, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function choose(n, { still = false } = {}) {
  chosen = n;
  const place = places.get(n);
  byId("places").querySelectorAll("li").forEach((row) => row.classList.toggle("is-chosen", Number(row.dataset.n) === n));
  if (still || !place) { atlas.choose(n); return; }
  atlas.choose(n);
  speech.choose(place);
  const row = byId("places").querySelector(`li[data-n="${n}"]`);
  const list = byId("places");
  if (row) list.scrollTop += row.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 3;
}

async function moved(n, longitude, latitude) {
  atlas.stopDrag();
  try {
    await editor.patch(n, { coordinates: [Number(longitude.toFixed(6)), Number(latitude.toFixed(6))] });
    changed(`${places.get(n).location} is moved.`, n);
  } catch (error) {
    tell(error.message);
    drawPlaces();
  }
}

async function changed(words, undo) {
  tell(words);
  if (undo !== undefined) {
    const back = element("button", "button is-quiet is-small", "Undo");
    back.type = "button";
    back.addEventListener("click", () => editor.patch(undo, { taken_back: true }).then(() => changed("It is as it was."), (error) => tell(error.message)));
    byId("said").append(" ", back);
  }
  await loadPlaces();
}

function tell(words) {
  say(byId("said"), words);
}

async function loadPlaces() {
  const told = await ask(`${urls.video}/locations${strategy}`).catch(() => null);
  if (!told) return;
  places.clear();
  for (const place of told.routes) places.set(place.n, place);
  drawPlaces();
}

async function loadFailures() {
  const told = await ask(`${urls.video}/failures${strategy}`).catch(() => null);
  if (!told) return;
  byId("failures").hidden = !told.failed.length;
  byId("failed-count").textContent = told.failed.length;
  byId("retry-all").hidden = !FINAL.has(state.status);
  byId("failed").replaceChildren(...told.failed.map(({ raw, reason }) => {
    const row = document.createElement("li");
    const again = element("button", "button is-quiet is-small", "Try again");
    again.type = "button";
    again.hidden = !FINAL.has(state.status);
    again.setAttribute("aria-label", `Try ${raw} again`);
    again.addEventListener("click", () => retryPlaces([raw]));
    row.append(element("strong", "", raw), element("span", "about", reason), again);
    return row;
  }));
}

async function loadSpeech() {
  if (hasSpeech) return;
  const told = await ask(urls.transcript).catch(() => null);
  if (!told?.cues.length) return;
  hasSpeech = true;
  speech.fill(told.cues);
  speech.mark(shown());
  byId("no-cues").hidden = true;
  byId("language").textContent = [told.language, `${told.cues.length} cues`, clock(told.cues.at(-1)[1])].filter(Boolean).join(" · ");
  say(byId("remarks"), told.remarks.slice(0, 3).join("; "));
}

async function press(url, json) {
  try {
    const told = await ask(url, { method: "POST", csrf: facts.csrf, json });
    if (told.job_id && told.job_id !== state.job_id) window.location.assign(urls.page.replace(/0{8}-0{4}-0{4}-0{4}-0{12}/, told.job_id));
    return true;
  } catch (error) {
    tell(error.message);
    return false;
  }
}

function retryPlaces(names) {
  return press(`${urls.video}/geocode/retry${strategy}`, names ? { raw: names } : {});
}

/** Follow the job's events; the browser comes back by itself and asks from where it was. */
function follow() {
  const stream = new EventSource(`${urls.job}/stream`);
  stream.addEventListener("phase_update", ({ data }) => {
    const told = JSON.parse(data);
    if (FINAL.has(state.status) || told.progress < state.progress) return;
    Object.assign(state, { status: "running", phase: told.phase, progress: told.progress, waiting: told.waiting ?? null });
    drawState();
    if (told.phase !== "metadata") loadSpeech();
  });
  stream.addEventListener("partial_locations", ({ data }) => {
    const told = JSON.parse(data);
    for (const place of told.locations) if (!places.get(place.n)?.correction) places.set(place.n, place);
    drawPlaces();
  });
  stream.addEventListener("heartbeat", ({ data }) => {
    const told = JSON.parse(data);
    if (FINAL.has(told.status) || FINAL.has(state.status) || told.status === state.status) return;
    state.status = told.status;
    drawState();
  });
  const end = ({ data }) => {
    if (!data) return; // the connection failed: EventSource tries again
    stream.close();
    settle();
  };
  for (const name of ["completed", "error", "canceled"]) stream.addEventListener(name, end);
}

/** What is stored is what counts: at the beginning, and when the job has ended. */
async function settle() {
  const told = await ask(urls.job).catch(() => null);
  if (told) Object.assign(state, told);
  if (state.title) document.querySelector("h1").textContent = state.title;
  drawState();
  await Promise.all([loadPlaces(), loadFailures(), loadSpeech()]);
}

byId("cancel").addEventListener("click", async ({ currentTarget }) => {
  currentTarget.disabled = true;
  if (await press(`${urls.job}/cancel`, {})) tell("It stops at its next safe point; what was found is kept.");
  currentTarget.disabled = false;
});
byId("retry").addEventListener("click", () => press(`${urls.job}/retry`, {}));
byId("retry-all").addEventListener("click", () => retryPlaces());

drawState();
settle().then(() => { if (!FINAL.has(state.status)) follow(); });
