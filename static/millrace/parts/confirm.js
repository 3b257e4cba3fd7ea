// Forms with data-confirm are sent only after a person said yes, and never twice.

export function askBack() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm === undefined) return;
    if (form.dataset.agreed) {
      form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
      return;
    }
    event.preventDefault();
    ask(form);
  });
}

function ask(form) {
  const dialog = element("dialog", "mr-confirm");
  const title = element("h2", "", form.dataset.confirmTitle || "Are you sure?");
  const text = element("p", "", form.dataset.confirm);
  const no = element("button", "mr-button", "Keep as it is");
  const yes = element("button", "mr-button is-primary", form.dataset.confirmYes || "Yes");
  if (form.dataset.confirmDanger !== undefined) yes.className = "mr-button is-danger is-solid";
  const buttons = element("div", "mr-buttons");
  buttons.append(no, yes);
  dialog.append(title, text, buttons);
  title.id = "mr-confirm-title";
  dialog.setAttribute("aria-labelledby", title.id);
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    form.dataset.agreed = "yes";
    dialog.close();
    form.requestSubmit();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  if (name === "button") made.type = "button";
  return made;
}
