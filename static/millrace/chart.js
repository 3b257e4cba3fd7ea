// A market's candles: volume, holes left open and marked, more as one pans, new ones as they come.
import { Candles } from "./parts/candles.js";
import { color, onLook } from "./parts/colors.js";
import { setText } from "./parts/moments.js";
import { field, show } from "./parts/rows.js";
import { Shading } from "./parts/shading.js";

const { CandlestickSeries, CrosshairMode, HistogramSeries, createChart, createSeriesMarkers } = window.LightweightCharts;
const PAGE = 600;
const NEWEST = 240;
const LOOK_EVERY_MS = 8000;
const WHOLE_EVERY = 4;
/** So many candles from the left edge the next page is asked for. */
const NEAR_EDGE = 60;
const TONES = { open: "hole", filling: "filling", unavailable: "gone" };
const BUSY = new Set(["pending", "running"]);
/** With more marks than this they stand without words. */
const MOST_WORDS = 12;
/** The feed gives at most so many candles. */
const MOST = 5000;

class MarketChart {
  constructor(box) {
    this.box = box;
    this.colors = this.palette();
    this.chart = createChart(field(box, "canvas"), this.options());
    this.prices = this.chart.addSeries(CandlestickSeries, {});
    this.volumes = this.chart.addSeries(HistogramSeries, { priceScaleId: "", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.prices.priceScale().applyOptions({ scaleMargins: { top: 0.1, bottom: 0.22 } });
    this.shading = new Shading(() => this.stretches, () => this.colors);
    this.prices.attachPrimitive(this.shading);
    this.markers = createSeriesMarkers(this.prices, []);
    this.stretches = [];
    this.paint();
    this.chart.subscribeCrosshairMove((where) => this.tell(where));
    this.chart.subscribeClick((where) => this.follow(where));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => this.reach(range));
    onLook(() => { this.colors = this.palette(); this.paint(); this.draw(); });
    box.querySelectorAll("[data-timeframe]").forEach((button) => {
      button.addEventListener("click", () => this.open(button.dataset.timeframe));
    });
    setInterval(() => this.lookForNews(), LOOK_EVERY_MS);
  }

  palette() {
    return {
      up: color("--mr-good"), down: color("--mr-bad"), text: color("--mr-faint"), line: color("--mr-line"),
      upVolume: color("--mr-good", 0.35), downVolume: color("--mr-bad", 0.35),
      hole: color("--mr-warn"), filling: color("--mr-run"), gone: color("--mr-faint"), backfill: color("--mr-run"),
    };
  }

  options() {
    return {
      autoSize: true,
      layout: { background: { color: "transparent" }, fontFamily: "Inter, system-ui, sans-serif", fontSize: 11, attributionLogo: true },
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4, minBarSpacing: 0.4 },
      handleScale: { axisPressedMouseMove: true },
    };
  }

  paint() {
    const { up, down, text, line } = this.colors;
    this.chart.applyOptions({
      layout: { textColor: text },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    this.prices.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false });
  }

  async open(timeframe) {
    this.timeframe = timeframe;
    this.candles = null;
    this.box.querySelectorAll("[data-timeframe]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.timeframe === timeframe));
    });
    const found = await this.ask({ limit: PAGE });
    if (!found || this.timeframe !== timeframe) return;
    this.candles = new Candles(found.step_ms);
    this.gaps = new Map();
    this.tasks = new Map();
    this.signs = new Map();
    this.lacks = new Map();
    this.madeOf = found.made_of;
    this.older = found.older;
    this.take(found);
    this.draw();
    if (this.length === 0) return;
    this.chart.timeScale().setVisibleLogicalRange({ from: this.length - Math.min(this.length, this.fitting()), to: this.length + 4 });
  }

  /** How many candles stand well beside each other. */
  fitting() {
    return Math.max(40, Math.round(this.box.clientWidth / 8));
  }

  async ask(query) {
    const address = new URL(this.box.dataset.feed, window.location.href);
    Object.entries({ timeframe: this.timeframe, ...query }).forEach(([name, value]) => address.searchParams.set(name, value));
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    show(field(this.box, "broken"), !found);
    return found;
  }

  take(found) {
    for (const gap of found.gaps) this.gaps.set(gap.id, gap);
    for (const task of found.tasks) this.tasks.set(task.id, task);
    for (const one of found.findings) this.signs.set(`f${one.id}`, { ...one, text: words(one.kind), shape: "arrowDown" });
    for (const one of found.differences) this.signs.set(`d${one.id}`, { ...one, text: "differs", shape: "square" });
    for (const [time, missing] of found.incomplete) this.lacks.set(time, missing);
    return this.candles.merge(found.candles);
  }

  draw() {
    if (!this.candles) return;
    const { upVolume, downVolume } = this.colors;
    const prices = this.candles.points(([, open, high, low, close]) => ({ open, high, low, close }));
    this.prices.setData(prices);
    this.volumes.setData(this.candles.points(([, open, , , close, value]) => ({ value, color: close >= open ? upVolume : downVolume })));
    this.length = prices.length;
    this.prices.applyOptions({ priceFormat: priceFormat(prices) });
    this.mark();
    show(field(this.box, "empty"), this.length === 0);
    this.tell(null);
  }

  /** Note the holes and the backfilled stretches that the shading draws. */
  mark() {
    const holes = this.candles.holes();
    this.stretches = holes.map((hole) => this.stretchOf(hole));
    for (const [from, to] of this.backfilled()) this.stretches.push({ from: from / 1000, to: to / 1000, kind: "backfill" });
    const missing = holes.reduce((sum, hole) => sum + hole.missing, 0);
    const gaps = holes.length ? `${holes.length} ${holes.length === 1 ? "gap" : "gaps"}, ${missing.toLocaleString("en")} missing` : "no gaps";
    const count = this.candles.times.length;
    const made = this.madeOf ? ` · made of ${this.madeOf}` : "";
    setText(field(this.box, "summary"), count ? `${count.toLocaleString("en")} candles · ${gaps}${made}` : "");
    this.markers.setMarkers(this.signed());
    field(this.box, "summary").dataset.holes = String(holes.length);
    show(field(this.box, "repair"), holes.length > 0);
    this.shading.refresh();
  }

  /** Findings and differences, above the candles that they are about; many on one are one mark. */
  signed() {
    const byTime = new Map();
    for (const one of this.signs.values()) {
      const time = this.candles.times.findLast((at) => at <= one.start_ms);
      if (time === undefined || one.start_ms >= time + this.candles.stepMs) continue;
      const known = byTime.get(time);
      byTime.set(time, known ? { ...known, text: `${known.count + 1} findings`, count: known.count + 1 } : { ...one, count: 1 });
    }
    return [...byTime.entries()].sort(([one], [other]) => one - other).map(([time, one]) => (
      { time: time / 1000, position: "aboveBar", shape: one.shape, color: this.colors.hole, text: byTime.size > MOST_WORDS ? "" : one.text }
    ));
  }

  stretchOf(hole) {
    const [from, to] = this.candles.edges(hole);
    const gap = [...this.gaps.values()].find((one) => overlap(one, hole));
    const task = [...this.tasks.values()].find((one) => overlap(one, hole) && BUSY.has(one.status));
    const tone = task ? "filling" : TONES[gap?.state] ?? "hole";
    const reason = gap && gap.reason !== "unknown" ? ` · ${words(gap.reason)}` : "";
    const done = task?.status === "running" ? ` · ${Math.round(task.progress)} %` : "";
    return { from, to, kind: "hole", tone, text: `gap ${hole.missing.toLocaleString("en")}${reason}${done}`, url: task?.url ?? gap?.url };
  }

  /** Stretches of stored candles that a backfill asked for, as [first, last] in milliseconds. */
  backfilled() {
    const ended = [...this.tasks.values()].filter((task) => task.status === "completed");
    const found = [];
    for (const time of this.candles.times) {
      if (!ended.some((task) => task.start_ms <= time && time < task.end_ms)) continue;
      const current = found[found.length - 1];
      if (current && time - current[1] === this.candles.stepMs) current[1] = time;
      else found.push([time, time]);
    }
    return found;
  }

  /** Open the page of the gap, or of the task at work on it, that was clicked. */
  follow(where) {
    const hit = where.time && this.stretches.find((one) => one.url && one.from <= where.time && where.time <= one.to);
    if (hit) window.location.assign(hit.url);
  }

  async reach(range) {
    if (!range || !this.candles || this.isReaching || this.older === null || range.from > NEAR_EDGE) return;
    this.isReaching = true;
    const timeframe = this.timeframe;
    const found = await this.ask({ before: this.older, limit: PAGE });
    this.isReaching = false;
    if (!found || this.timeframe !== timeframe) return;
    this.older = found.older;
    if (this.take(found)) this.draw();
  }

  async lookForNews() {
    if (document.hidden || !this.candles) return;
    const timeframe = this.timeframe;
    this.turn = (this.turn ?? 0) + 1;
    // holes further back are filled, too: now and then everything shown is looked at
    const isWhole = this.turn % WHOLE_EVERY === 0 && this.stretches.length > 0;
    const shown = Math.min(MOST, this.candles.times.length);
    const found = await this.ask({ limit: isWhole ? Math.max(NEWEST, shown) : NEWEST });
    if (!found || this.timeframe !== timeframe) return;
    if (isWhole) {
      this.gaps.clear();
      this.tasks.clear();
      this.signs.clear();
    }
    if (this.take(found)) this.draw();
    else this.mark();
  }

  /** Show the values under the pointer, else those of the last candle. */
  tell(where) {
    const time = where?.time ? where.time * 1000 : this.candles?.last;
    const row = this.candles?.byTime.get(time);
    const node = field(this.box, "values");
    if (!row) {
      setText(node, time ? `${stampOf(time)}  no candle` : "");
      return;
    }
    const [, open, high, low, close, volume] = row;
    const parts = [["O", open], ["H", high], ["L", low], ["C", close], ["V", volume]];
    const lacks = this.lacks.get(time);
    const note = (row[6] === false ? " · still open" : "") + (lacks ? ` · ${lacks} of ${this.madeOf} missing` : "");
    setText(node, `${stampOf(time)}   ${parts.map(([name, value]) => `${name} ${value.toLocaleString("en", { maximumFractionDigits: 8 })}`).join("  ")}${note}`);
    node.dataset.tone = close >= open ? "good" : "bad";
  }
}

function words(name) {
  return name.replaceAll("_", " ");
}

function overlap(one, hole) {
  return one.start_ms < hole.end && one.end_ms > hole.start;
}

function stampOf(ms) {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

/** Enough decimals that neighbouring prices differ. */
function priceFormat(points) {
  const last = points.findLast((point) => point.close !== undefined)?.close ?? 1;
  const precision = Math.min(8, Math.max(2, 4 - Math.floor(Math.log10(Math.abs(last) || 1))));
  return { type: "price", precision, minMove: 10 ** -precision };
}

document.querySelectorAll("[data-feed]").forEach((box) => new MarketChart(box).open(box.dataset.opens));
