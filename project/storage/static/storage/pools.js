// Draws the database pools: asks for the samples every two seconds while the page is seen.

const LOOK_EVERY_MS = 2000;
const COLOURS = ["#2563eb", "#16a34a", "#dc2626", "#d97706"];
const page = document.querySelector("[data-feed]");
const span = page.querySelector("[data-span]");
const state = page.querySelector("[data-state]");
const findings = page.querySelector("[data-findings]");

const label = (name) => page.querySelector(`[data-series="${name}"]`).textContent;

const charts = [...page.querySelectorAll("[data-chart]")].map((canvas) => {
  const names = canvas.dataset.chart.split(",");
  const chart = new window.Chart(canvas, {
    type: "line",
    data: {
      labels: [],
      datasets: names.map((name, at) => ({
        label: label(name),
        data: [],
        borderColor: COLOURS[at],
        backgroundColor: COLOURS[at],
        borderWidth: 1.5,
        pointRadius: 0,
        tension: 0,
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: { x: { ticks: { maxTicksLimit: 8, maxRotation: 0 } }, y: { beginAtZero: true } },
    },
  });
  return { names, chart, scale: Number(canvas.dataset.scale || 1) };
});

function clock(second) {
  const text = new Date(second * 1000).toISOString();
  return Number(span.value) > 60 ? text.slice(5, 16).replace("T", " ") : text.slice(11, 19);
}

function draw(told) {
  const labels = told.seconds.map(clock);
  for (const { names, chart, scale } of charts) {
    chart.data.labels = labels;
    names.forEach((name, at) => {
      chart.data.datasets[at].data = told.series[name].map((value) => value * scale);
    });
    chart.update("none");
  }
  findings.replaceChildren(
    ...told.findings.map((finding) => {
      const item = document.createElement("li");
      item.dataset.severity = finding.severity;
      item.textContent = `${finding.name}: ${finding.text}`;
      return item;
    }),
  );
  state.textContent = told.seconds.length ? `until ${labels.at(-1)} UTC` : "no samples yet";
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(`${page.dataset.feed}?minutes=${span.value}`, {
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    draw(await answer.json());
  } catch (error) {
    state.textContent = `not renewed: ${error.message}`;
  }
}

async function keepLooking() {
  await look();
  window.setTimeout(keepLooking, LOOK_EVERY_MS);
}

span.addEventListener("change", look);
document.addEventListener("visibilitychange", look);
keepLooking();
