// The event lane: what happened, over the time axis that the charts have.
import { countText, durationText, element, timeText } from "/words.js";

const rows = [
  ["crash", "Crashes"], ["unit", "Units"], ["pressure", "Pressure"], ["process", "Failed processes"],
  ["state", "State"], ["loss", "Losses"],
];
const names = new Map(rows);
const marksInARow = 300;
const listed = 200;

export class EventLane {
  events = [];
  #ids = new Set();
  #tracks = new Map();
  #window = [0, 1];
  #selected = null;

  /** `selected(time)` is called with the time of the event that was chosen, or null. */
  constructor({ lane, words, count, list }, selected) {
    this.lane = lane;
    this.words = words;
    this.count = count;
    this.list = list;
    this.onSelect = selected;
    for (const [name, label] of rows) {
      const track = element("div", { class: "track" });
      this.#tracks.set(name, track);
      lane.append(element("div", { class: "row" }, element("span", { class: "row-name" }, label), track));
    }
    this.axis = element("div", { class: "track axis", "aria-hidden": "true" });
    lane.append(element("div", { class: "row" }, element("span", { class: "row-name" }), this.axis));
    this.cursor = element("div", { class: "cursor", hidden: true });
    this.axis.append(this.cursor);
    lane.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#step(step);
    });
    lane.addEventListener("click", (event) => {
      const id = Number(event.target.dataset?.event);
      if (id) this.select(this.events.find((one) => one.id === id));
    });
  }

  clear() {
    this.events = [];
    this.#ids.clear();
    this.select(null);
  }

  add(events) {
    for (const event of events) {
      if (this.#ids.has(event.id)) continue;
      this.#ids.add(event.id);
      this.events.push(event);
    }
    this.events.sort((a, b) => a.time - b.time);
    while (this.events.length > 1000) this.#ids.delete(this.events.shift().id);
  }

  #inWindow() {
    const [from, to] = this.#window;
    return this.events.filter((event) => event.time >= from && (event.begin ?? event.time) <= to);
  }

  #place(time) {
    const [from, to] = this.#window;
    return Math.min(100, Math.max(0, (100 * (time - from)) / (to - from)));
  }

  show(window) {
    this.#window = window;
    const shown = this.#inWindow();
    for (const [name, track] of this.#tracks) {
      const marks = shown.filter((event) => event.lane === name).slice(-marksInARow).map((event) => {
        const mark = element("span", { class: `mark ${event.severity}`, title: this.#wordsOf(event) });
        mark.dataset.event = String(event.id);
        const begin = this.#place(event.begin ?? event.time);
        mark.style.left = `${begin}%`;
        if (event.begin !== undefined) {
          mark.classList.add("lasting");
          mark.style.width = `${Math.max(0.4, this.#place(event.time) - begin)}%`;
        }
        if (event === this.#selected) mark.classList.add("selected");
        return mark;
      });
      track.replaceChildren(...marks);
    }
    this.#showAxis();
    this.#showList(shown);
  }

  #showAxis() {
    const [from, to] = this.#window;
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
      const tick = element("span", { class: "tick" }, timeText(from + part * (to - from)));
      tick.style.left = `${part * 100}%`;
      return tick;
    });
    this.axis.replaceChildren(this.cursor, ...ticks);
  }

  /** Shows the time that the charts point at. */
  pointAt(time) {
    this.cursor.hidden = time === null;
    if (time !== null) this.cursor.style.left = `${this.#place(time)}%`;
  }

  #showList(shown) {
    const bad = shown.filter((event) => event.severity === "bad").length;
    this.count.textContent = shown.length
      ? `${countText(shown.length)} events in this time, ${countText(bad)} of them bad`
      : "Nothing happened in this time";
    if (!this.list.parentElement.open) return;
    const key = shown.slice(-listed).map((event) => event.id).join();
    if (this.list.dataset.key === key) return;
    this.list.dataset.key = key;
    this.list.replaceChildren(...shown.slice(-listed).reverse().map((event) => {
      const row = element(
        "li", { class: event.severity }, element("time", {}, timeText(event.time)),
        element("span", { class: "kind" }, names.get(event.lane) ?? event.lane),
        element("span", { class: "text" }, event.text));
      return row;
    }));
  }

  #wordsOf(event) {
    const lasting = event.begin === undefined ? "" : ` (${durationText(event.time - event.begin)})`;
    return `${timeText(event.time)}${lasting}  ${names.get(event.lane) ?? event.lane}: ${event.text}`;
  }

  #step(step) {
    const shown = this.#inWindow();
    if (!shown.length) return;
    const at = shown.indexOf(this.#selected);
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step;
    this.select(shown[Math.min(shown.length - 1, Math.max(0, next))]);
  }

  select(event) {
    this.#selected = event ?? null;
    this.words.textContent = event ? this.#wordsOf(event) : "";
    for (const mark of this.lane.querySelectorAll(".mark")) {
      mark.classList.toggle("selected", event !== null && mark.dataset.event === String(event?.id));
    }
    this.onSelect(event ? event.time : null);
  }
}
