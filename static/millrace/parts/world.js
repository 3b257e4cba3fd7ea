// A map of the world as an SVG: countries of a TopoJSON file, in the Natural Earth projection.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 960;
const SCALE = WIDTH / (2 * Math.PI * 0.8707);
/** The map's middle: Antarctica, where no proxy is, is left out. */
const TOP = 236;
const ANTARCTICA = "010";

/** Natural Earth's polynomials (Patterson 2012), as pixels of the map. */
function project([longitude, latitude]) {
  const phi = (latitude * Math.PI) / 180;
  const phi2 = phi * phi;
  const phi4 = phi2 * phi2;
  const x = ((longitude * Math.PI) / 180) * (0.8707 - 0.131979 * phi2 + phi4 * (-0.013791 + phi4 * (0.003971 * phi2 - 0.001529 * phi4)));
  const y = phi * (1.007226 + phi2 * (0.015085 + phi4 * (-0.044475 + 0.028874 * phi2 - 0.005916 * phi4)));
  return [WIDTH / 2 + x * SCALE, TOP - y * SCALE];
}

/** The arcs of a topology as points in degrees: they are stored as differences, on a grid. */
export function arcsOf({ arcs, transform: { scale, translate } }) {
  return arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
}

export function ringOf(indexes, arcs) {
  return indexes.flatMap((index, at) => {
    const points = index >= 0 ? arcs[index] : [...arcs[~index]].reverse();
    return at ? points.slice(1) : points;
  });
}

/** A ring that crosses the 180th meridian goes on beyond it, rather than back around the world. */
export function unrolled(points) {
  let shift = 0;
  return points.map(([x, y], at) => {
    if (at) {
      const step = x - points[at - 1][0];
      if (step > 180) shift -= 360;
      if (step < -180) shift += 360;
    }
    return [x + shift, y];
  });
}

function pathOf(geometry, arcs) {
  const polygons = geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs ?? [];
  return polygons.flat().map((ring) => {
    const points = unrolled(ringOf(ring, arcs)).map(project);
    return `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z`;
  }).join("");
}

export class World {
  constructor(svg) {
    this.svg = svg;
    this.shapes = new Map();
  }

  async load(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`the map's file: status ${answer.status}`);
    const topology = await answer.json();
    const arcs = arcsOf(topology);
    for (const geometry of topology.objects.countries.geometries) {
      if (geometry.id === ANTARCTICA) continue;
      const link = document.createElementNS(SVG, "a");
      const path = document.createElementNS(SVG, "path");
      const title = document.createElementNS(SVG, "title");
      path.setAttribute("d", pathOf(geometry, arcs));
      title.textContent = geometry.properties.name;
      path.append(title);
      link.append(path);
      this.svg.append(link);
      if (geometry.id) this.shapes.set(String(geometry.id).padStart(3, "0"), { link, path, title, name: geometry.properties.name });
    }
  }

  /** Colour the countries by how many there are: {number, name, healthy, all, url}. */
  show(countries) {
    const most = Math.max(1, ...countries.map((one) => one.healthy));
    const known = new Map(countries.map((one) => [one.number, one]));
    for (const [number, { link, path, title, name }] of this.shapes) {
      const one = known.get(number);
      if (!one || !one.healthy) {
        link.removeAttribute("href");
        delete path.dataset.heat;
        title.textContent = name;
        continue;
      }
      link.setAttribute("href", one.url);
      path.dataset.heat = String(Math.ceil(5 * Math.log(1 + one.healthy) / Math.log(1 + most)));
      title.textContent = `${one.name}: ${one.healthy.toLocaleString("en")} of ${one.all.toLocaleString("en")} healthy`;
    }
  }
}
