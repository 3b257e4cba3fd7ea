// The candles that a chart has so far, and the holes between them.

/** A hole is drawn at most so many candles wide; its label has the true number. */
const WIDEST_HOLE = 240;

export class Candles {
  constructor(stepMs) {
    this.stepMs = stepMs;
    this.byTime = new Map();
    this.times = [];
  }

  /** Take rows [open_ms, open, high, low, close, volume, final]; say whether any is news. */
  merge(rows) {
    let isNews = false;
    for (const row of rows) {
      const old = this.byTime.get(row[0]);
      if (old && old.every((value, index) => value === row[index])) continue;
      this.byTime.set(row[0], row);
      isNews = true;
    }
    if (isNews) this.times = [...this.byTime.keys()].sort((one, other) => one - other);
    return isNews;
  }

  get first() { return this.times[0]; }

  get last() { return this.times[this.times.length - 1]; }

  /** Holes as {start, end, missing}: end is the next candle that is there. */
  holes() {
    const found = [];
    for (let at = 1; at < this.times.length; at += 1) {
      const start = this.times[at - 1] + this.stepMs;
      const missing = Math.round((this.times[at] - start) / this.stepMs);
      if (missing > 0) found.push({ start, end: this.times[at], missing });
    }
    return found;
  }

  /** Points for a chart: candles, and for each hole points without a value. */
  points(make) {
    const found = [];
    let before = null;
    for (const time of this.times) {
      if (before !== null) found.push(...this.emptyPoints(before + this.stepMs, time));
      found.push({ time: time / 1000, ...make(this.byTime.get(time)) });
      before = time;
    }
    return found;
  }

  emptyPoints(start, end) {
    const missing = Math.round((end - start) / this.stepMs);
    if (missing <= 0) return [];
    const width = Math.min(missing, WIDEST_HOLE);
    const stride = missing / width;
    return Array.from({ length: width }, (_, index) => ({
      time: (start + Math.floor(index * stride) * this.stepMs) / 1000,
    }));
  }

  /** The first and last points that a hole is drawn with, in seconds. */
  edges(hole) {
    const points = this.emptyPoints(hole.start, hole.end);
    return [points[0].time, points[points.length - 1].time];
  }
}
