// The page of imports: a list is dropped, chosen or pasted, and looked at before it is taken over.
import { setText } from "./parts/moments.js";
import { field, make, show } from "./parts/rows.js";

const form = document.getElementById("import");
const page = form?.closest(".mr-page");

function cells(...texts) {
  const row = document.createElement("tr");
  texts.forEach(([text, className]) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    if (className) cell.className = className;
    row.append(cell);
  });
  return row;
}

function hold(file) {
  const files = new DataTransfer();
  if (file) files.items.add(file);
  field(form, "file").files = files.files;
  named();
}

function named() {
  const file = field(form, "file").files[0];
  setText(field(form, "name"), file ? `${file.name}, ${Math.ceil(file.size / 1024).toLocaleString("en")} KiB` : "");
  if (file) look();
}

function draw(found) {
  const count = (number) => number.toLocaleString("en");
  const figures = [["New proxies", found.accepted], ["Known, or repeated", found.duplicates], ["Refused", found.rejected]];
  field(page, "figures").replaceChildren(...figures.map(([label, value]) => {
    const card = make("import-figure");
    setText(field(card, "label"), label);
    setText(field(card, "value"), count(value));
    return card;
  }));
  setText(field(page, "taken-count"), count(found.accepted));
  setText(field(page, "refused-count"), count(found.rejected));
  const shown = found.taken.length;
  setText(field(page, "taken-more"), found.accepted > shown ? `the first ${count(shown)}` : "");
  show(field(page, "no-taken"), !found.accepted);
  show(field(page, "no-refused"), !found.rejected);
  field(page, "taken").replaceChildren(...found.taken.map((one) => cells([one.proxy, "mr-mono"], [one.country, "mr-faint"])));
  field(page, "refused").replaceChildren(...found.refused.map((one) => cells([String(one.line), "mr-faint mr-num"], [one.text, "mr-mono"], [one.reason, "mr-reason"])));
  field(page, "reasons").replaceChildren(...Object.entries(found.reasons).map(([reason, number]) => {
    const chip = document.createElement("span");
    chip.textContent = `${reason} ${count(number)}`;
    return chip;
  }));
}

// what is too large is not sent to be told so
function tooLarge() {
  const [file] = field(form, "file").files;
  const most = Number(file ? form.dataset.mostFile : form.dataset.mostText);
  const size = file ? file.size : new Blob([form.elements.text.value]).size;
  if (size <= most) return "";
  const mebibytes = Math.floor(most / 1024 ** 2).toLocaleString("en");
  return file ? `A list may have ${mebibytes} MiB: hand it in in parts.` : `More than ${mebibytes} MiB is no text to paste: drop it as a file.`;
}

async function look() {
  const state = field(form, "state");
  const large = tooLarge();
  if (large) {
    for (const name of ["figures", "result"]) show(field(page, name), false);
    setText(state, large);
    return;
  }
  setText(state, "looking …");
  const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) }).catch(() => null);
  const found = await answer?.json().catch(() => null);
  const isGood = Boolean(answer?.ok && found);
  show(field(page, "figures"), isGood);
  show(field(page, "result"), isGood);
  setText(state, isGood ? "" : found?.detail ?? "The list could not be looked at.");
  if (isGood) draw(found);
}

if (form) {
  const drop = field(form, "drop");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) hold(file);
    else form.elements.text.value = event.dataTransfer.getData("text");
  });
  form.elements.text.addEventListener("input", () => { if (form.elements.text.value) hold(null); });
  // unfold's script would look for a text field beside it, which isn't there
  field(form, "file").hasChangeListener = true;
  field(form, "choose").addEventListener("click", () => field(form, "file").click());
  field(form, "file").addEventListener("change", named);
  field(form, "preview").addEventListener("click", look);
  form.addEventListener("submit", (event) => {
    const large = tooLarge();
    if (!large) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    setText(field(form, "state"), large);
  }, { capture: true });
}
