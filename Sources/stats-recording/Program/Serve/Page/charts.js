// The charts: dygraphs over the lines of one device, all with the same time axis.
/* global Dygraph */
import { Line, rowsOf } from "/line.js";
import { element, valueText } from "/words.js";

// Its legend is made as HTML, and asks for its width with a style that the page forbids; ours is below.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

/** More lines than this in one chart cannot be told apart. */
const drawnLines = 8;

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const palette = () => Array.from({ length: drawnLines }, (_, i) => style(`--line-${i + 1}`));

class ChartView {
  lines = new Map();
  /** The lines that are drawn, in the order of the legend. */
  drawn = [];
  hidden = new Set();
  isDirty = true;
  isVisible = false;
  #graph = null;
  #drawnKey = "";
  #chosenAt = 0;

  constructor(description, board) {
    this.description = description;
    this.board = board;
    this.plot = element("div", { class: "plot" });
    this.cross = element("div", { class: "cross", hidden: true });
    this.legend = element("ul", { class: "legend", "aria-label": `Lines of ${description.title}` });
    this.more = element("p", { class: "note" });
    this.root = element(
      "figure", { class: "chart" }, element("figcaption", {}, description.title),
      element("div", { class: "frame" }, this.plot, this.cross), this.legend, this.more);
    this.root.dataset.chart = description.id;
  }

  add(series) {
    this.lines.set(series.id, new Line(series));
    this.#chosenAt = 0;
    this.isDirty = true;
  }

  lineOf(label) {
    for (const line of this.lines.values()) if (line.label === label) return line;
    return null;
  }

  remove(id) {
    this.lines.delete(id);
    this.#chosenAt = 0;
    this.isDirty = true;
  }

  rebuild() {
    this.#graph?.destroy();
    this.#graph = null;
    this.#drawnKey = "";
    this.isDirty = true;
  }

  /** Those with the highest values in the window, where there are too many. */
  #choose([from, to]) {
    const now = performance.now();
    if (this.#chosenAt && now - this.#chosenAt < 10000) return;
    this.#chosenAt = now;
    const all = [...this.lines.values()];
    const ranked = all.length <= drawnLines ? all : all
      .map((line) => [line, line.maximum(from, to)])
      .sort((a, b) => b[1] - a[1] || a[0].id - b[0].id)
      .slice(0, drawnLines).map(([line]) => line);
    this.drawn = ranked.sort((a, b) => a.id - b.id);
    const rest = all.length - this.drawn.length;
    this.more.textContent = rest > 0
      ? `${rest} more with lower values in this time are not drawn` : "";
  }

  draw(window) {
    this.#choose(window);
    this.isDirty = false;
    const rows = rowsOf(this.drawn, ...window);
    this.root.dataset.points = String(rows.length);
    const labels = ["time", ...this.drawn.map((line) => `line ${line.id}`)];
    const visibility = this.drawn.map((line) => !this.hidden.has(line.id));
    const key = labels.join();
    const dateWindow = window.map((time) => time * 1000);
    // dygraphs has no drawing of nothing.
    const file = rows.length ? rows : [[dateWindow[0], ...this.drawn.map(() => null)]];
    if (!this.drawn.length) return;
    if (this.#graph && key === this.#drawnKey) {
      this.#graph.updateOptions({ file, dateWindow, visibility });
    } else {
      this.#graph?.destroy();
      this.#drawnKey = key;
      this.#graph = new Dygraph(this.plot, file, { ...this.#options(), labels, dateWindow, visibility });
    }
    this.#showLegend();
    this.showCross();
  }

  #options() {
    const { unit } = this.description;
    const isBounded = ["cpu", "fileSystems"].includes(this.description.id);
    const startsAtZero = !["celsius", "decibelMilliwatts"].includes(unit);
    return {
      colors: palette(),
      connectSeparatedPoints: true,
      drawGapEdgePoints: true,
      pointSize: 1.5,
      strokeWidth: 1.6,
      includeZero: startsAtZero,
      valueRange: unit === "flag" ? [-0.1, 1.1] : isBounded ? [0, 1.02] : startsAtZero ? [0, null] : null,
      // Round numbers on the axis are powers of two.
      labelsKMG2: unit === "bytes" || unit === "bytesPerSecond",
      highlightCircleSize: 3,
      gridLineColor: style("--grid"),
      axisLineColor: style("--grid"),
      gridLineWidth: 1,
      rightGap: 4,
      animatedZooms: false,
      axes: {
        x: {
          ticker: Dygraph.dateTicker,
          axisLabelFormatter: Dygraph.dateAxisLabelFormatter,
          pixelsPerLabel: 70,
        },
        y: {
          axisLabelWidth: 74,
          pixelsPerLabel: 34,
          axisLabelFormatter: (value) => valueText(value, unit),
        },
      },
      underlayCallback: (canvas, area, graph) => this.board.drawEvents(canvas, area, graph),
      highlightCallback: (event, x) => this.board.pointAt(x / 1000),
      unhighlightCallback: () => this.board.pointAt(null),
      zoomCallback: (from, to) => this.board.zoomed(from / 1000, to / 1000),
    };
  }

  /** A line at the time that some chart points at. */
  showCross() {
    const time = this.board.pointer;
    const [from, to] = this.board.window;
    this.cross.hidden = !this.#graph || time === null || time < from || time > to;
    if (this.cross.hidden) return;
    const area = this.#graph.getArea();
    this.cross.style.left = `${this.#graph.toDomXCoord(time * 1000)}px`;
    this.cross.style.top = `${area.y}px`;
    this.cross.style.height = `${area.h}px`;
  }

  #showLegend() {
    const colors = palette();
    const at = this.board.pointer;
    const reach = Math.max(2, (this.board.window[1] - this.board.window[0]) / 50);
    const items = this.drawn.map((line, i) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = colors[i];
      const value = at === null ? line.last : line.valueNear(at, reach);
      const button = element(
        "button", { type: "button", title: "Show or hide this line" }, swatch,
        element("span", { class: "label" }, line.label),
        element("span", { class: "value" }, valueText(value, this.description.unit)));
      button.setAttribute("aria-pressed", String(!this.hidden.has(line.id)));
      button.addEventListener("click", () => {
        if (!this.hidden.delete(line.id)) this.hidden.add(line.id);
        this.draw(this.board.window);
      });
      return element("li", {}, button);
    });
    // The buttons stay where they are, so that the one with the focus keeps it.
    const present = [...this.legend.children];
    if (present.length === items.length && present.every((item, i) =>
      item.querySelector(".label").textContent === this.drawn[i].label)) {
      items.forEach((item, i) => {
        const old = present[i].querySelector("button");
        const made = item.querySelector("button");
        old.setAttribute("aria-pressed", made.getAttribute("aria-pressed"));
        old.querySelector(".value").textContent = made.querySelector(".value").textContent;
        old.querySelector(".swatch").style.background = colors[i];
      });
    } else this.legend.replaceChildren(...items);
  }

  showValues() {
    if (this.#graph) this.#showLegend();
  }
}

/** All charts of a device. */
export class ChartBoard {
  #views = new Map();
  #lineViews = new Map();
  /** Lines that are in recordings alone have ids below 0, which no line of the server has. */
  #nextRecordedID = -1e9;
  #observer;
  window = [0, 1];
  /** The time under the mouse or of the selected event, or null. */
  pointer = null;
  events = [];

  /** `zoomed(from, to)` is called when somebody has chosen a window in a chart. */
  constructor(root, descriptions, zoomed) {
    this.root = root;
    this.zoomed = zoomed;
    this.#observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const view = this.#views.get(entry.target.dataset.chart);
        if (!view) continue;
        view.isVisible = entry.isIntersecting;
        if (view.isVisible && view.isDirty) view.draw(this.window);
      }
    }, { rootMargin: "200px" });
    const groups = new Map();
    for (const description of descriptions) {
      const view = new ChartView(description, this);
      this.#views.set(description.id, view);
      if (!groups.has(description.group)) {
        const grid = element("div", { class: "grid" });
        const section = element(
          "section", { class: "group", hidden: true }, element("h3", {}, description.group), grid);
        groups.set(description.group, { grid, section });
        root.append(section);
      }
      view.group = groups.get(description.group);
      view.root.hidden = true;
      view.group.grid.append(view.root);
      this.#observer.observe(view.root);
    }
  }

  clear() {
    this.#lineViews.clear();
    for (const view of this.#views.values()) {
      view.lines.clear();
      view.hidden.clear();
      view.rebuild();
      view.root.hidden = true;
      view.group.section.hidden = true;
    }
  }

  addSeries(series) {
    const view = this.#views.get(series.chart);
    if (!view) return;
    const recorded = view.lineOf(series.label);
    if (recorded && recorded.id < 0 && series.id >= 0) this.removeSeries(recorded.id);
    view.add(series);
    if (recorded) view.lines.get(series.id).addRecorded(recorded.times, recorded.values);
    this.#lineViews.set(series.id, view);
    // sysinfo(2) stands in where /proc is not read.
    const standsIn = series.chart === "freeMemory" && this.#views.get("memory")?.lines.size > 0;
    view.root.hidden = standsIn;
    if (series.chart === "memory") this.#views.get("freeMemory").root.hidden = true;
    view.group.section.hidden = false;
  }

  /** Points that were recorded, for the line of that name. */
  addRecorded({ chart, label, times, values }) {
    const view = this.#views.get(chart);
    if (!view) return;
    const line = view.lineOf(label);
    if (line) line.addRecorded(times, values);
    else {
      this.#nextRecordedID += 1;
      this.addSeries({ id: this.#nextRecordedID, chart, label, times, values });
    }
    view.isDirty = true;
  }

  removeSeries(id) {
    const view = this.#lineViews.get(id);
    this.#lineViews.delete(id);
    view?.remove(id);
  }

  addPoints({ id, times, values }) {
    const view = this.#lineViews.get(id);
    const line = view?.lines.get(id);
    if (!line) return;
    line.add(times, values);
    view.isDirty = true;
  }

  get firstTime() {
    let first = Infinity;
    for (const view of this.#views.values()) {
      for (const line of view.lines.values()) if (line.times.length) first = Math.min(first, line.times[0]);
    }
    return first;
  }

  get lastTime() {
    let last = -Infinity;
    for (const view of this.#views.values()) {
      for (const line of view.lines.values()) {
        if (line.times.length) last = Math.max(last, line.times[line.times.length - 1]);
      }
    }
    return last;
  }

  /** Shows a stretch of time in all charts. */
  show(window) {
    this.window = window;
    for (const view of this.#views.values()) {
      if (view.isVisible && !view.root.hidden) view.draw(window);
      else view.isDirty = true;
    }
  }

  /** After a change of colours. */
  rebuild() {
    for (const view of this.#views.values()) view.rebuild();
    this.show(this.window);
  }

  pointAt(time) {
    if (time === this.pointer) return;
    this.pointer = time;
    for (const view of this.#views.values()) {
      if (!view.isVisible || view.root.hidden) continue;
      view.showValues();
      view.showCross();
    }
    this.onPointer?.(time);
  }

  /** The same events as in the lane, as lines behind each chart. */
  drawEvents(canvas, area, graph) {
    canvas.save();
    canvas.lineWidth = 1;
    for (const event of this.events) {
      if (event.severity !== "bad" || event.time < this.window[0] || event.time > this.window[1]) continue;
      const x = Math.round(graph.toDomXCoord(event.time * 1000)) + 0.5;
      if (event.begin !== undefined) {
        const begin = Math.max(area.x, graph.toDomXCoord(event.begin * 1000));
        canvas.fillStyle = style("--stall");
        canvas.fillRect(begin, area.y, Math.max(1, x - begin), area.h);
      } else {
        canvas.strokeStyle = style(`--mark-${event.lane}`) || style("--mark-bad");
        canvas.beginPath();
        canvas.moveTo(x, area.y);
        canvas.lineTo(x, area.y + area.h);
        canvas.stroke();
      }
    }
    canvas.restore();
  }
}
