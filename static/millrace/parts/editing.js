// Putting a place right: its name, where it is, that it is another one, that it is none.
import { ask, say } from "./api.js";

const byId = (id) => document.getElementById(id);

export class Editor {
  /**
   * @param {{csrf: string, address: Function, places: Function, changed: Function, drag: Function}} on
   *   address(n): where to send it; places(): those shown; changed(words, undo?); drag(n)
   */
  constructor(on) {
    this.on = on;
    this.place = null;
    this.dialog = byId("edit");
    byId("edit-save").addEventListener("click", () => this.save());
    byId("edit-drop").addEventListener("click", () => this.send({ dropped: true }, `${this.place.location} is off the map.`, this.place.n));
    byId("edit-back").addEventListener("click", () => this.send({ taken_back: true }, `${this.place.location} is as it was.`));
    byId("edit-drag").addEventListener("click", () => { this.dialog.close(); this.on.drag(this.place.n); });
  }

  open(place) {
    this.place = place;
    byId("edit-name").value = place.location;
    byId("edit-lon").value = place.coordinates[0];
    byId("edit-lat").value = place.coordinates[1];
    const others = this.on.places().filter((each) => each.n !== place.n && each.raw !== place.raw);
    byId("edit-merge").replaceChildren(option("", "no other"), ...others.map((each) => option(each.n, each.location)));
    say(byId("edit-error"), "");
    byId("edit-back").hidden = !place.correction;
    this.dialog.showModal();
  }

  save() {
    if (!this.dialog.querySelector("form").reportValidity()) return;
    const { place } = this;
    const merge = byId("edit-merge").value;
    if (merge) { this.send({ merge_into: Number(merge) }, `${place.location} is now the same as the other.`, place.n); return; }
    const wanted = {};
    const name = byId("edit-name").value.trim();
    const at = [Number(byId("edit-lon").value), Number(byId("edit-lat").value)];
    if (name !== place.location) wanted.location = name;
    if (at[0] !== place.coordinates[0] || at[1] !== place.coordinates[1]) wanted.coordinates = at;
    if (!Object.keys(wanted).length) { this.dialog.close(); return; }
    this.send(wanted, `${name} is put right.`, place.n);
  }

  /** Send what a person wants; `undo` is the number of the place of which that can be taken back. */
  async send(wanted, words, undo) {
    try {
      await this.patch(this.place.n, wanted);
    } catch (error) {
      say(byId("edit-error"), error.message);
      return;
    }
    this.dialog.close();
    this.on.changed(words, undo);
  }

  patch(n, wanted) {
    return ask(this.on.address(n), { method: "PATCH", csrf: this.on.csrf, json: wanted });
  }
}

function option(value, text) {
  const node = document.createElement("option");
  node.value = value;
  node.textContent = text;
  return node;
}
