// The overview of the pools: asks for what it draws each half minute while the page is seen.
import { color, onLook } from "./parts/colors.js";
import { duration, setText } from "./parts/moments.js";
import { field, make, show } from "./parts/rows.js";
import { World } from "./parts/world.js";

const LOOK_EVERY_MS = 30000;
const DAY = 1440;
const DAYS = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const page = document.getElementById("pool");
const LINES = {
  sizes: { stacked: true, lines: [["hot", "hot", "--mr-bad"], ["warm", "warm", "--mr-warn"], ["cold", "cold", "--mr-run"]] },
  scores: { most: 100, lines: [["score_p90", "p90", "--mr-good"], ["score_p50", "p50", "--mr-run"], ["score_p10", "p10", "--mr-warn"]] },
  latency: { lines: [["latency_p50", "p50", "--mr-good"], ["latency_p95", "p95", "--mr-warn"], ["latency_p99", "p99", "--mr-bad"]] },
  work: { lines: [["leases", "leases", "--mr-good"], ["unproven", "not checked yet", "--mr-run"], ["failing", "failing", "--mr-warn"]] },
};
const charts = new Map();
const world = new World(field(page, "world"));
let minutes = Number(page.querySelector("[data-minutes][aria-pressed=true]").dataset.minutes);
let latest = null;

function options({ stacked = false, most }) {
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: { tooltip: { callbacks: { title: ([point]) => moment(point.parsed.x) } }, legend: { display: true, align: "end", labels: { boxWidth: 10, boxHeight: 10, color: color("--mr-text") } } },
    scales: {
      x: { type: "linear", afterBuildTicks: setTicks, ticks: { autoSkipPadding: 14, maxRotation: 0, color: color("--mr-faint"), callback: label }, grid: { display: false } },
      y: { beginAtZero: true, suggestedMax: most, stacked, ticks: { color: color("--mr-faint"), maxTicksLimit: 6 }, grid: { color: color("--mr-line") }, border: { display: false } },
    },
  };
}

function makeChart(canvas) {
  const about = LINES[canvas.dataset.chart];
  const datasets = about.lines.map(([, label, tone], at) => ({
    label, data: [], borderColor: color(tone), backgroundColor: color(tone, about.stacked ? 0.3 : 1),
    borderWidth: 1.6, pointRadius: 0, pointHitRadius: 6, tension: 0, fill: about.stacked ? (at ? "-1" : "origin") : false, spanGaps: false,
  }));
  return new window.Chart(canvas, { type: "line", data: { datasets }, options: options(about) });
}

function makeCharts() {
  page.querySelectorAll("[data-chart]").forEach((canvas) => {
    charts.get(canvas.dataset.chart)?.destroy();
    charts.set(canvas.dataset.chart, makeChart(canvas));
  });
}

/** Ticks at round moments in UTC: every ten minutes, four hours, day or two weeks. */
function setTicks(axis) {
  const step = minutes <= 60 ? 600 : minutes <= DAY ? 14400 : minutes <= 7 * DAY ? 86400 : 14 * 86400;
  const ticks = [];
  for (let at = Math.ceil(axis.min / step) * step; at <= axis.max; at += step) ticks.push({ value: at });
  axis.ticks = ticks;
}

function label(second) {
  const at = new Date(second * 1000);
  return minutes > DAY ? DAYS.format(at) : at.toISOString().slice(11, 16);
}

function moment(second) {
  return `${new Date(second * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function drawCharts({ seconds, series, from, until: now }) {
  for (const [name, chart] of charts) {
    Object.assign(chart.options.scales.x, { min: from, max: now });
    LINES[name].lines.forEach(([key], at) => {
      chart.data.datasets[at].data = seconds.map((x, index) => ({ x, y: series[key][index] }));
    });
    chart.update("none");
  }
  const until = seconds.at(-1);
  setText(field(page, "state"), until ? `until ${new Date(until * 1000).toISOString().slice(11, 16)} UTC` : "no minute is remembered yet");
}

function drawFigures({ pools, states, leases_active: leases, latency_ms: latency }) {
  const list = (query) => `${page.dataset.proxies}?${query}`;
  const count = (number) => number.toLocaleString("en");
  const ms = (value) => (value === null ? "—" : `${Math.round(value).toLocaleString("en")} ms`);
  const cards = [
    ["Hot", count(pools.hot), "lent first", list("pool__exact=hot")],
    ["Warm", count(pools.warm), "", list("pool__exact=warm")],
    ["Cold", count(pools.cold), "", list("pool__exact=cold")],
    ["Lent now", count(leases), "leases that stand", ""],
    ["Latency", ms(latency.p50), `p95 ${ms(latency.p95)}`, ""],
    ["Not checked", count(states.unproven), "wait for a round", list("state__exact=unproven")],
    ["Failing", count(states.failing), `${count(states.retired)} retired`, list("state__exact=failing")],
  ];
  field(page, "figures").replaceChildren(...cards.map(([name, value, hint, url]) => {
    const card = make("pool-figure");
    if (url) card.href = url;
    setText(field(card, "label"), name);
    setText(field(card, "value"), value);
    setText(field(card, "hint"), hint);
    return card;
  }));
}

function drawCountries(countries) {
  const some = countries.filter((one) => one.healthy);
  world.show(countries);
  setText(field(page, "country-count"), String(some.length));
  show(field(page, "no-countries"), !some.length);
  field(page, "countries").replaceChildren(...some.map((one) => {
    const row = make("pool-country");
    row.firstElementChild.href = one.url;
    setText(field(row, "name"), one.name);
    setText(field(row, "count"), one.healthy.toLocaleString("en"));
    return row;
  }));
}

function cell(name, text, scope) {
  const node = document.createElement(name);
  node.textContent = text;
  if (scope) node.scope = scope;
  return node;
}

function drawTargets({ hours, rows }) {
  const table = field(page, "targets");
  show(field(page, "no-targets"), !rows.length);
  table.hidden = !rows.length;
  const head = document.createElement("tr");
  head.append(cell("th", ""), ...hours.map((hour) => cell("th", hour.slice(11, 13), "col")));
  table.replaceChildren(head, ...rows.map(({ target, leases, cells }) => {
    const row = document.createElement("tr");
    const name = cell("th", target, "row");
    name.title = `${leases.toLocaleString("en")} leases`;
    row.append(name, ...cells.map((found, at) => heat(found, target, hours[at])));
    return row;
  }));
}

function heat(found, target, hour) {
  if (!found) return cell("td", "");
  const [all, well] = found;
  const node = cell("td", String(Math.round((100 * well) / all)));
  node.dataset.heat = String(Math.round((5 * well) / all));
  node.title = `${target}, ${hour.slice(11, 16)}: ${well} of ${all} leases went well`;
  return node;
}

function drawSources(sources) {
  show(field(page, "no-sources"), !sources.length);
  field(page, "sources").replaceChildren(...sources.map((one) => {
    const row = make("pool-source");
    field(row, "name").href = one.url;
    setText(field(row, "name"), one.name);
    field(row, "bar").value = one.success;
    field(row, "bar").dataset.state = one.success > 0.9 ? "good" : one.success > 0.5 ? "warning" : "bad";
    setText(field(row, "share"), `${Math.round(100 * one.success)} %`);
    setText(field(row, "fetches"), one.fetches.toLocaleString("en"));
    setText(field(row, "mean"), duration(one.mean_s));
    setText(field(row, "longest"), duration(one.longest_s));
    const errors = Object.entries(one.errors).map(([kind, count]) => cell("span", `${kind} ${count}`));
    field(row, "errors").replaceChildren(...errors);
    return row;
  }));
}

function draw() {
  if (!latest) return;
  drawFigures(latest.now);
  drawCharts(latest.history);
  drawCountries(latest.countries);
  drawTargets(latest.targets);
  drawSources(latest.sources);
}

async function look() {
  try {
    const answer = await fetch(`${page.dataset.feed}?minutes=${minutes}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    latest = await answer.json();
    draw();
  } catch (error) {
    setText(field(page, "state"), `not renewed: ${error.message}`);
  }
}

async function keepLooking() {
  if (!document.hidden) await look();
  window.setTimeout(keepLooking, LOOK_EVERY_MS);
}

page.querySelectorAll("[data-minutes]").forEach((button) => {
  button.addEventListener("click", () => {
    minutes = Number(button.dataset.minutes);
    page.querySelectorAll("[data-minutes]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    look();
  });
});
onLook(() => { makeCharts(); draw(); });
makeCharts();
await world.load(page.dataset.world).catch((error) => setText(field(page, "state"), error.message));
keepLooking();
