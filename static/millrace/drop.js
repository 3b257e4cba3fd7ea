// A file that is dropped on the page goes into the form's first file field; a .CHECKSUM into the second.
const form = document.querySelector("[data-drop]");

function put(field, file) {
  const list = new DataTransfer();
  list.items.add(file);
  field.files = list.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function take(files) {
  const fields = form.querySelectorAll('input[type="file"]');
  const hint = form.querySelector('[data-field="hint"]');
  for (const file of files) put(/\.checksum$/i.test(file.name) ? fields[1] : fields[0], file);
  hint.textContent = [...files].map((file) => file.name).join(", ");
}

if (form) {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) take(event.dataTransfer.files);
  });
}
