// What a map shows without a tile server: countries' outlines, and a grid that fits the zoom.
import { arcsOf, ringOf, unrolled } from "./world.js";

/* global L */
const STEPS = [45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
const LINES_ACROSS = 4;

/** Draw the countries of a TopoJSON file. */
export async function drawCountries(map, url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the outlines: status ${answer.status}`);
  const topology = await answer.json();
  const arcs = arcsOf(topology);
  const renderer = L.canvas({ pane: "outline", padding: 0.5 });
  for (const geometry of topology.objects.countries.geometries) {
    const polygons = geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs ?? [];
    const shapes = polygons.map((rings) => rings.map((ring) => unrolled(ringOf(ring, arcs)).map(([x, y]) => [y, x])));
    L.polygon(shapes, { renderer, interactive: false, weight: 1, fillOpacity: 1, ...landColors() }).addTo(map);
  }
}

/** A colour of the style sheet as a canvas knows it: light or dark is decided already. */
function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function landColors() {
  return { color: color("--shore"), fillColor: color("--land") };
}

/** A grid of degrees, with its figures at the edges; a country alone is blank at a street's zoom. */
export class Grid {
  constructor(map) {
    this.map = map;
    this.lines = L.layerGroup().addTo(map);
    this.renderer = L.canvas({ pane: "outline", padding: 0.1 });
    map.on("moveend zoomend resize", () => this.draw());
    this.draw();
  }

  draw() {
    this.lines.clearLayers();
    const bounds = this.map.getBounds();
    const wide = bounds.getEast() - bounds.getWest();
    const step = STEPS.find((each) => each * LINES_ACROSS <= wide) ?? STEPS.at(-1);
    const figures = step < 1 ? Math.ceil(-Math.log10(step)) : 0;
    const style = { renderer: this.renderer, interactive: false, weight: 1, color: color("--grid"), opacity: 0.7 };
    const [south, north] = [Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth())];
    for (let at = Math.ceil(bounds.getWest() / step) * step; at <= bounds.getEast(); at += step) {
      L.polyline([[south, at], [north, at]], style).addTo(this.lines);
      this.label([south, at], degrees(at, "E", "W", figures), "is-below");
    }
    for (let at = Math.ceil(south / step) * step; at <= north; at += step) {
      L.polyline([[at, bounds.getWest()], [at, bounds.getEast()]], style).addTo(this.lines);
      this.label([at, bounds.getWest()], degrees(at, "N", "S", figures), "is-beside");
    }
  }

  label(at, text, side) {
    const icon = L.divIcon({ className: `grid-label ${side}`, html: "", iconSize: [64, 14], iconAnchor: side === "is-below" ? [32, 16] : [-4, 7] });
    const marker = L.marker(at, { icon, interactive: false, keyboard: false, pane: "outline" }).addTo(this.lines);
    marker.getElement().textContent = text;
  }
}

function degrees(value, plus, minus, figures) {
  const turned = ((((value + 180) % 360) + 360) % 360) - 180;
  const side = turned < 0 ? minus : plus;
  const shown = Math.abs(plus === "E" ? turned : value).toFixed(figures);
  return Number(shown) === 0 ? "0°" : `${shown}°${plus === "E" ? side : value < 0 ? minus : plus}`;
}
