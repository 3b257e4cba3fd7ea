// The map of a video: numbered markers in the order spoken of, and the line through them.
import { Grid, drawCountries } from "./outline.js";

/* global L */
const MOST_ZOOM = 12;

export class Atlas {
  /**
   * @param {HTMLElement} node its data-world names the outlines
   * @param {{url: string, attribution: string}} tiles
   * @param {{chosen: Function, moved: Function}} on chosen(n), moved(n, longitude, latitude)
   */
  constructor(node, tiles, on) {
    this.on = on;
    this.map = L.map(node, { worldCopyJump: true, zoomSnap: 0.5, maxZoom: 18, minZoom: 1 }).setView([25, 10], 1.5);
    this.map.attributionControl.setPrefix(false);
    const pane = this.map.createPane("outline");
    pane.classList.add("outline-pane");
    L.control.scale({ imperial: false }).addTo(this.map);
    this.line = L.layerGroup().addTo(this.map);
    this.markers = new Map();
    this.dragged = null;
    this.isTouched = false;
    for (const event of ["mousedown", "wheel", "touchstart", "keydown"]) {
      node.addEventListener(event, () => { this.isTouched = true; }, { passive: true });
    }
    new Grid(this.map);
    if (tiles.url) L.tileLayer(tiles.url, { attribution: escaped(tiles.attribution), maxZoom: 19 }).addTo(this.map);
    else drawCountries(this.map, node.dataset.world).catch(() => { node.dataset.outlines = "missing"; });
  }

  /** Show places; those that are shown already are only moved. */
  show(places) {
    const wanted = new Set(places.map((place) => place.n));
    for (const [n, marker] of this.markers) {
      if (!wanted.has(n)) { marker.remove(); this.markers.delete(n); }
    }
    places.forEach((place, index) => this.put(place, index + 1));
    this.drawLine(places);
    if (!this.isTouched) this.fit(places);
  }

  put(place, number) {
    const at = [place.coordinates[1], place.coordinates[0]];
    let marker = this.markers.get(place.n);
    if (!marker) {
      marker = L.marker(at, { icon: icon(), title: place.location, alt: place.location, riseOnHover: true, keyboard: true });
      marker.on("click", () => this.on.chosen(place.n));
      marker.on("dragend", () => {
        const { lat, lng } = marker.getLatLng().wrap();
        this.on.moved(place.n, lng, lat);
      });
      marker.addTo(this.map);
      this.markers.set(place.n, marker);
    }
    marker.setLatLng(at);
    const node = marker.getElement();
    node.textContent = number;
    node.dataset.marker = place.marker || "pin";
    node.title = `${number}. ${place.location}`;
    node.setAttribute("aria-label", `${number}. ${place.location}`);
  }

  drawLine(places) {
    this.line.clearLayers();
    const points = [];
    let shift = 0;
    places.forEach(({ coordinates: [x, y] }, index) => {
      const last = index ? places[index - 1].coordinates[0] : x;
      if (x - last > 180) shift -= 360;
      if (x - last < -180) shift += 360;
      points.push([y, x + shift]);
    });
    if (points.length > 1) L.polyline(points, { className: "route", weight: 3, interactive: false }).addTo(this.line);
  }

  fit(places) {
    if (!places.length) return;
    const points = places.map(({ coordinates: [x, y] }) => [y, x]);
    this.map.fitBounds(points, { padding: [36, 36], maxZoom: places.length > 1 ? MOST_ZOOM : 8, animate: false });
  }

  /** Bring a place into view and let it stand out. */
  choose(n) {
    for (const [each, marker] of this.markers) marker.getElement().classList.toggle("is-chosen", each === n);
    const marker = this.markers.get(n);
    if (!marker) return;
    marker.setZIndexOffset(1000);
    if (!this.map.getBounds().pad(-0.1).contains(marker.getLatLng())) this.map.panTo(marker.getLatLng(), { animate: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  }

  /** Let one marker be dragged; the others stay. */
  letDrag(n) {
    this.stopDrag();
    const marker = this.markers.get(n);
    if (!marker) return;
    this.dragged = marker;
    marker.dragging.enable();
    marker.getElement().classList.add("is-free");
    this.choose(n);
  }

  stopDrag() {
    this.dragged?.dragging.disable();
    this.dragged?.getElement()?.classList.remove("is-free");
    this.dragged = null;
  }
}

function icon() {
  return L.divIcon({ className: "stop", html: "", iconSize: [28, 28], iconAnchor: [14, 14] });
}

function escaped(text) {
  const node = document.createElement("span");
  node.textContent = text;
  return node.innerHTML;
}
