// The small line on a key figure's card: how it went in the last day, and by how much it changed.
const WIDTH = 100;
const HEIGHT = 24;
const EDGE = 2;

export function pointsOf(numbers) {
  const least = Math.min(...numbers);
  const span = Math.max(...numbers) - least;
  const step = WIDTH / (numbers.length - 1);
  const high = (value) => (span === 0 ? HEIGHT / 2 : EDGE + (1 - (value - least) / span) * (HEIGHT - 2 * EDGE));
  return numbers.map((value, place) => `${(place * step).toFixed(1)},${high(value).toFixed(1)}`).join(" ");
}

export function drawTrend(spark, change, numbers) {
  const isKnown = numbers.length > 1;
  spark.toggleAttribute("hidden", !isKnown);
  change.hidden = true;
  if (!isKnown) return;
  spark.firstElementChild.setAttribute("points", pointsOf(numbers));
  const by = numbers[numbers.length - 1] - numbers[0];
  if (Math.abs(by) < 0.005) return;
  change.hidden = false;
  const size = Math.abs(by).toLocaleString("en", { maximumFractionDigits: 1 });
  const said = `${by > 0 ? "\u25B2" : "\u25BC"} ${size}`;
  if (change.textContent !== said) change.textContent = said;
}
