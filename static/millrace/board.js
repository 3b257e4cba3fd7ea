// The dashboard, kept current by ws/live/ (runs, issues, figures) and /api/system/tasks (jobs, processes).
import { duration, makeMoment, secondsBetween, setMoment, setText } from "./parts/moments.js";
import { drawTrend } from "./parts/trend.js";
import { field, fillCounts, fillPill, isFinal, show, sync } from "./parts/rows.js";
import { follow, showState } from "./parts/socket.js";

const ENDED_SHOWN = 10;
const WORK_SHOWN = 12;
const LOOK_EVERY_MS = 10000;
const POLL_EVERY_MS = 5000;
const SOCKET_TRIES = 3;
const RUN_ID = "00000000-0000-0000-0000-000000000000";

const board = document.getElementById("board");
const state = JSON.parse(document.getElementById("board-state").textContent);
const runs = new Map(state.runs.map((run) => [run.id, run]));
let isFresh = false;

const at = (id) => document.getElementById(id);
const runUrl = (id) => board.dataset.runUrl.replace(RUN_ID, id);

function drawIssues(issues) {
  sync(at("issues"), issues, {
    key: (issue) => `${issue.code} ${issue.text}`,
    template: "issue-row",
    fill(row, issue) {
      row.dataset.severity = issue.severity;
      setText(field(row, "icon"), issue.severity === "red" ? "error" : "warning");
      setText(field(row, "text"), issue.text);
      const button = field(row, "action");
      show(button, Boolean(issue.url));
      if (issue.url) button.href = issue.url;
      setText(button, issue.action || "Look");
    },
  });
  show(at("no-issues"), issues.length === 0);
}

function drawFigures(figures) {
  sync(at("figures"), figures, {
    key: (figure) => figure.name,
    template: "figure-card",
    fill(card, figure) {
      card.dataset.tone = figure.tone;
      if (figure.url) card.href = figure.url;
      for (const name of ["label", "value", "hint"]) setText(field(card, name), figure[name]);
      drawTrend(field(card, "spark"), field(card, "change"), figure.trend ?? []);
    },
  });
}

function fillName(row, run) {
  const link = field(row, "link");
  link.href = runUrl(run.id);
  const label = state.kinds[run.kind] ?? run.kind;
  setText(link, run.subject || label);
  setText(field(row, "kind"), run.subject ? label : run.kind);
}

function fillWork(row, run) {
  fillName(row, run);
  field(row, "dot").dataset.state = run.status;
  const bar = field(row, "bar");
  bar.value = run.progress;
  setText(field(row, "percent"), `${Math.round(run.progress)} %`);
  const attempt = run.attempt > 1 ? ` · attempt ${run.attempt}` : "";
  const waits = run.status === "queued" ? (run.error ? `waits to try again: ${run.error}` : "waits for a worker") : run.phase || "starting";
  setText(field(row, "phase"), waits + attempt);
  fillCounts(field(row, "counts"), run.counts);
  field(row, "clock").dataset.elapsedSince = run.started_at ?? run.created_at;
  setText(field(row, "clock"), duration(secondsBetween(run.started_at ?? run.created_at), false));
  field(row, "cancel").action = `${runUrl(run.id).replace(/change\/$/, "")}cancel/`;
}

function fillEnded(row, run) {
  fillName(row, run);
  fillPill(field(row, "pill"), run.status);
  setMoment(field(row, "ended"), run.ended_at);
  setText(field(row, "took"), run.started_at ? duration(secondsBetween(run.started_at, run.ended_at)) : "");
  show(field(row, "error"), Boolean(run.error) && run.status !== "done");
  show(field(row, "kind"), field(row, "error").hidden);
  field(row, "error").title = run.error ?? "";
  setText(field(row, "error"), run.error ?? "");
}

function drawRuns() {
  const all = [...runs.values()];
  const newest = (name) => (one, other) => other[name].localeCompare(one[name]);
  const work = all.filter((run) => !isFinal(run.status)).sort((one, other) =>
    (other.status === "running") - (one.status === "running") || newest("created_at")(one, other));
  const ended = all.filter((run) => isFinal(run.status)).sort(newest("ended_at"));
  ended.slice(50).forEach((run) => runs.delete(run.id));
  const key = (run) => run.id;
  sync(at("work"), work.slice(0, WORK_SHOWN), { key, template: "work-row", fill: fillWork, isFresh });
  sync(at("ended"), ended.slice(0, ENDED_SHOWN), { key, template: "ended-row", fill: fillEnded, isFresh });
  setText(at("work-count"), String(work.length));
  show(at("work-empty"), work.length === 0);
  show(at("ended-empty"), ended.length === 0);
}

function fillJob(row, job) {
  row.dataset.enabled = String(job.enabled);
  if (job.last_run_id) {
    field(row, "last").href = runUrl(job.last_run_id);
    fillPill(field(row, "last").firstElementChild, job.last_status);
    field(row, "when").replaceChildren(makeMoment(job.created_at));
    setText(field(row, "took"), job.ended_at && job.duration_seconds !== null ? ` · ${duration(job.duration_seconds)}` : "");
  }
  const late = field(row, "late");
  late.dataset.state = job.enabled ? "late" : "paused";
  setText(late, job.enabled ? "Late" : "Paused");
  show(late, job.is_late || !job.enabled);
  const due = job.enabled && job.next_due_at ? [job.is_late ? "due " : "", makeMoment(job.next_due_at)] : [];
  field(row, "due").replaceChildren(...due);
}

function fillRole(row, role) {
  row.querySelector(".mr-dot").dataset.state = role.alive ? "good" : "bad";
  setText(field(row, "alive"), role.alive ? `${role.alive} alive` : "silent");
  setText(field(row, "restarts"), role.restarts ? `${role.restarts} restarts · ` : "");
  const beat = row.querySelector("time");
  if (beat) setMoment(beat, role.heartbeat_at);
}

async function lookAtJobs() {
  if (document.hidden) return;
  const answer = await fetch(board.dataset.tasksUrl, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const found = await answer.json();
  const rows = new Map([...document.querySelectorAll("[data-job]")].map((row) => [row.dataset.job, row]));
  found.tasks.forEach((job) => { if (rows.has(job.name)) fillJob(rows.get(job.name), job); });
  document.querySelectorAll("[data-role]").forEach((row) => fillRole(row, found.processes[row.dataset.role]));
}

let soon = 0;
function lookSoon() {
  clearTimeout(soon);
  soon = setTimeout(lookAtJobs, 700);
}

const HANDLERS = {
  snapshot(data) {
    runs.clear();
    data.runs.forEach((run) => runs.set(run.id, run));
    drawRuns();
    drawIssues(data.issues);
    drawFigures(data.figures);
    isFresh = true;
  },
  run(run) {
    const before = runs.get(run.id)?.status;
    runs.set(run.id, run);
    drawRuns();
    if (before !== run.status) lookSoon();
  },
  issues: drawIssues,
  figures: drawFigures,
};

async function poll() {
  if (!document.hidden) {
    const answer = await fetch(board.dataset.boardUrl).catch(() => null);
    if (answer?.ok) HANDLERS.snapshot(await answer.json());
    showState(at("live"), answer?.ok ? "polling" : "reconnecting");
  }
  setTimeout(poll, POLL_EVERY_MS);
}

drawRuns();
setInterval(lookAtJobs, LOOK_EVERY_MS);
document.addEventListener("visibilitychange", lookAtJobs);
let wasOpen = false;
follow(() => "/ws/live/", {
  message({ event, data }) {
    wasOpen = true;
    HANDLERS[event]?.(data);
  },
  state: (name) => showState(at("live"), name),
  closed(event, failures) {
    if (wasOpen || failures < SOCKET_TRIES) return false;
    poll();
    return true;
  },
});
