// The badge of an installation that is not healthy, on every page but the dashboard, which says why.
const EVERY_MS = 60000;
const LABELS = { degraded: "Degraded", unhealthy: "Unhealthy" };

async function look(place) {
  if (document.hidden) return;
  const answer = await fetch(place.dataset.healthUrl, { headers: { Accept: "application/json" } }).catch(() => null);
  const found = await answer?.json().catch(() => null);
  if (!found?.status) return;
  const label = LABELS[found.status];
  place.hidden = !label;
  if (!label) return;
  place.dataset.tone = found.status === "unhealthy" ? "bad" : "warning";
  const count = found.issues;
  const more = count ? ` \u00B7 ${count} ${count === 1 ? "issue" : "issues"}` : "";
  place.querySelector("[data-field=text]").textContent = label + more;
}

export function keepHealthCurrent() {
  const place = document.getElementById("health-badge");
  if (!place || document.getElementById("board")) return;
  look(place);
  setInterval(() => look(place), EVERY_MS);
  document.addEventListener("visibilitychange", () => look(place));
}
