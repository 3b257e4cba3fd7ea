// The page of one run: its events as they come, over ws/runs/<id>/, by polling where no socket opens.
import { duration, makeMoment, secondsBetween, setText } from "./parts/moments.js";
import { field, fillCounts, fillPill, isFinal, show } from "./parts/rows.js";
import { follow, showState } from "./parts/socket.js";
import { Timeline, phasesOf } from "./parts/timeline.js";

const POLL_EVERY_MS = 2000;
const SOCKET_TRIES = 3;

const page = document.getElementById("run");
const live = document.getElementById("live");
const history = JSON.parse(document.getElementById("run-history").textContent);
const state = JSON.parse(document.getElementById("run-state").textContent);
const timeline = new Timeline(document.getElementById("timeline"), document.getElementById("event-count"));
let last = 0;
let events = [];

function putMoment(name, text) {
  field(page, name).replaceChildren(text ? makeMoment(text) : "—");
}

function drawHead() {
  fillPill(field(page, "status"), state.status);
  const bar = field(page, "bar");
  bar.value = state.progress;
  bar.dataset.state = state.status;
  setText(field(page, "percent"), `${Math.round(state.progress)} %`);
  setText(field(page, "doing"), doing());
  fillCounts(field(page, "counts"), state.counts);
  show(field(page, "cancel"), !isFinal(state.status));
  show(field(page, "retry"), isFinal(state.status));
}

function doing() {
  if (state.is_cancel_asked) return "stops at its next safe point";
  if (state.status === "queued") return state.next_try_at ? "waits to try again" : "waits for a worker";
  if (state.status !== "running") return state.phase ? `ended in ${state.phase}` : "";
  const left = remaining();
  return (state.phase || "starting") + (left ? ` · about ${left} left` : "");
}

function remaining() {
  const spent = secondsBetween(state.started_at, null);
  if (!spent || spent < 3 || state.progress < 3 || state.attempt > 1) return "";
  return duration((spent * (100 - state.progress)) / state.progress, false);
}

function drawFacts() {
  for (const name of ["started", "ended", "heartbeat"]) putMoment(name, state[`${name}_at`]);
  putMoment("next", state.next_try_at);
  const took = field(page, "took");
  if (state.started_at && !state.ended_at) took.dataset.elapsedSince = state.started_at;
  else delete took.dataset.elapsedSince;
  setText(took, duration(secondsBetween(state.started_at, state.ended_at), Boolean(state.ended_at)));
  const died = state.takeovers ? ` · ${state.takeovers} taken over from a dead worker` : "";
  setText(field(page, "attempt"), `${state.attempt}${died}`);
  setText(field(page, "worker"), state.worker || "—");
  show(field(page, "error"), Boolean(state.error));
  setText(field(page, "error-type"), state.error?.type ?? "");
  setText(field(page, "error-message"), state.error?.message ?? "");
}

function drawPhases() {
  const box = document.getElementById("phases");
  box.replaceChildren(...phasesOf(events).map((phase, index, all) => {
    const node = document.createElement("span");
    const time = document.createElement("span");
    const isCurrent = index === all.length - 1 && !isFinal(state.status);
    node.className = isCurrent ? "mr-phase is-current" : "mr-phase";
    node.append(phase.name, " ", time);
    if (isCurrent) time.dataset.elapsedSince = phase.from;
    time.textContent = duration(secondsBetween(phase.from, phase.to), !isCurrent);
    return node;
  }));
}

function draw() {
  drawHead();
  drawFacts();
  drawPhases();
}

function take(found) {
  const news = found.filter((one) => one.id !== null && one.id > last);
  if (!news.length) return;
  last = news[news.length - 1].id;
  events = [...events, ...news].slice(-2000);
  news.forEach((one) => {
    if (one.data.status !== undefined) Object.assign(state, pick(one.data));
    timeline.add(one);
  });
}

function pick(data) {
  const names = ["status", "phase", "progress", "counts", "attempt", "next_try_at", "error"];
  return Object.fromEntries(names.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]));
}

async function lookAtState() {
  const answer = await fetch(`${page.dataset.newsUrl}?since=${last}`).catch(() => null);
  if (!answer?.ok) return false;
  const found = await answer.json();
  take(found.events);
  Object.assign(state, found.state);
  draw();
  return true;
}

let soon = 0;
function receive(message) {
  if (message.event === "heartbeat") {
    lookAtState();
    return;
  }
  const before = `${state.status} ${state.attempt}`;
  take([{ ...message, at: message.data.ts ?? new Date().toISOString() }]);
  draw();
  if (before !== `${state.status} ${state.attempt}`) {
    clearTimeout(soon);
    soon = setTimeout(lookAtState, 300);
  }
  if (isFinal(state.status)) end();
}

/** What came of it is on a page of its own kind: it is asked for anew. */
function end() {
  showState(live, "over");
  if (page.dataset.hasReports !== undefined) setTimeout(() => window.location.reload(), 600);
}

function poll() {
  const turn = async () => {
    showState(live, (await lookAtState()) ? "polling" : "reconnecting");
    if (isFinal(state.status)) end();
    else setTimeout(turn, POLL_EVERY_MS);
  };
  turn();
}

take(history);
draw();
let wasOpen = false;
if (isFinal(state.status)) {
  showState(live, "over");
} else {
  follow(() => `/ws/runs/${page.dataset.run}/?since=${last}`, {
    message(message) {
      wasOpen = true;
      receive(message);
    },
    state: (name) => { if (!isFinal(state.status)) showState(live, name); },
    closed(event, failures) {
      if (isFinal(state.status)) return true;
      if (wasOpen || failures < SOCKET_TRIES) return false;
      poll();
      return true;
    },
  });
}
