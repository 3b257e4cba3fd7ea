// Asking for an analysis by an address or a file; the list follows the jobs that are on their way.
import { ask, say } from "./parts/api.js";

const FINAL = new Set(["done", "partial", "failed", "canceled"]);
const POLL_EVERY_MS = 3000;
const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);
const [form, url, input, drop] = ["ask", "url", "file", "drop"].map(byId);
let file = null;

function pick(chosen) {
  const most = Number(input.dataset.most);
  say(byId("ask-error"), "");
  if (chosen && chosen.size > most) {
    say(byId("ask-error"), `${chosen.name} is too large: a transcript may have ${Math.round(most / 2 ** 20)} MiB.`);
    return;
  }
  file = chosen ?? null;
  byId("picked").textContent = file ? `${file.name}, ${Math.max(1, Math.round(file.size / 1024))} KiB` : "";
  drop.classList.toggle("is-full", Boolean(file));
}

input.addEventListener("change", () => { pick(input.files[0]); input.value = ""; });
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); pick(event.dataTransfer.files[0]); });
// a file that misses its place must not replace the page
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const address = url.value.trim();
  if (!address && !file) { say(byId("ask-error"), "Paste the address of a video, or choose a transcript."); url.focus(); return; }
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const told = await ask(facts.analyze, { method: "POST", csrf: facts.csrf, ...wish(address) });
    window.location.assign(facts.page.replace(/0{8}-0{4}-0{4}-0{4}-0{12}/, told.job_id));
  } catch (error) {
    say(byId("ask-error"), error.message);
    button.disabled = false;
  }
});

function wish(address) {
  const strategy = byId("strategy").value;
  if (!file) return { json: strategy ? { url: address, strategy } : { url: address } };
  const body = new FormData();
  body.append("transcript", file, file.name);
  if (strategy) body.append("strategy", strategy);
  return { form: body };
}

async function poll() {
  if (document.hidden) return;
  for (const id of [...facts.live]) {
    const told = await ask(`/api/jobs/${id}`).catch(() => null);
    if (!told) return;
    const row = document.querySelector(`[data-job="${id}"]`);
    const pill = row.querySelector(".pill");
    pill.textContent = told.status;
    pill.dataset.status = told.status;
    row.querySelector("progress").value = told.progress;
    if (told.title) row.querySelector("strong").textContent = told.title;
    const { places_total: total, places_located: located } = told.stats;
    row.querySelector("[data-count]").textContent = total ? `${located} of ${total} places` : "";
    if (FINAL.has(told.status)) {
      row.querySelector("progress").hidden = true;
      facts.live.splice(facts.live.indexOf(id), 1);
    }
  }
  if (!facts.live.length) clearInterval(timer);
}

const timer = facts.live.length ? setInterval(poll, POLL_EVERY_MS) : 0;
