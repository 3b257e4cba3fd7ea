// The console's colours as a canvas wants them, in the light or dark look of the moment.

const canvas = document.createElement("canvas");
canvas.width = 1;
canvas.height = 1;
const paper = canvas.getContext("2d", { willReadFrequently: true });

/** A CSS custom property as "rgba(…)": charts do not read oklch. */
export function color(name, alpha = 1) {
  paper.clearRect(0, 0, 1, 1);
  paper.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";
  paper.fillRect(0, 0, 1, 1);
  const [red, green, blue, opacity] = paper.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${(opacity / 255) * alpha})`;
}

/** Call back when the look changes between light and dark. */
export function onLook(callback) {
  new MutationObserver(callback).observe(document.documentElement, { attributeFilter: ["class"] });
}
