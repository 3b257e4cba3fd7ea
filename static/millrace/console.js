// What every page of the console does: asks back before deeds, keeps moments and health current.
import { askBack } from "./parts/confirm.js";
import { keepHealthCurrent } from "./parts/health.js";
import { keepMomentsCurrent } from "./parts/moments.js";

askBack();
keepMomentsCurrent();
keepHealthCurrent();
if (location.hash === "#palette") {
  // once unfold's own script listens
  const open = () => window.dispatchEvent(new CustomEvent("opencommand"));
  if (window.Alpine) open();
  else document.addEventListener("alpine:initialized", open, { once: true });
}
