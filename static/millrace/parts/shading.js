// Marks stretches of time behind the candles: holes with their count, backfilled stretches below.

export class Shading {
  /** @param {() => Array<{from: number, to: number, kind: string, text?: string}>} stretches */
  constructor(stretches, colors) {
    this.stretches = stretches;
    this.colors = colors;
    this.view = { zOrder: () => "bottom", renderer: () => this.renderer };
    this.renderer = { draw: (target) => target.useMediaCoordinateSpace((scope) => this.draw(scope)) };
  }

  attached({ chart, requestUpdate }) {
    this.chart = chart;
    this.requestUpdate = requestUpdate;
  }

  paneViews() {
    return [this.view];
  }

  refresh() {
    this.requestUpdate?.();
  }

  draw({ context, mediaSize }) {
    const scale = this.chart.timeScale();
    const half = scale.options().barSpacing / 2;
    for (const stretch of this.stretches()) {
      const from = scale.timeToCoordinate(stretch.from);
      const to = scale.timeToCoordinate(stretch.to);
      if (from === null || to === null) continue;
      if (to + half < 0 || from - half > mediaSize.width) continue;
      const box = { left: from - half, width: Math.max(2, to - from + 2 * half) };
      if (stretch.kind === "hole") this.drawHole(context, box, mediaSize.height, stretch);
      else this.drawStrip(context, box, mediaSize.height);
    }
  }

  drawHole(context, { left, width }, height, stretch) {
    const colors = this.colors();
    context.fillStyle = colors[stretch.tone] ?? colors.hole;
    context.globalAlpha = 0.13;
    context.fillRect(left, 0, width, height);
    context.globalAlpha = 0.55;
    context.fillRect(left, 0, 1, height);
    context.fillRect(left + width - 1, 0, 1, height);
    context.globalAlpha = 1;
    this.drawLabel(context, left + width / 2, stretch.text);
  }

  drawLabel(context, middle, text) {
    context.font = "600 11px Inter, system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, middle, 12);
  }

  drawStrip(context, { left, width }, height) {
    context.fillStyle = this.colors().backfill;
    context.globalAlpha = 0.85;
    context.fillRect(left, height - 4, width, 4);
    context.globalAlpha = 1;
  }
}
