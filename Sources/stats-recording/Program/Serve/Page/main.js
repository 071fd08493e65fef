// The page: which device, which stretch of time, and what the keys do.
import { ChartBoard } from "/charts.js";
import { EventLane } from "/lane.js";
import { Past } from "/past.js";
import { Stream, fetchCharts, fetchDevice, fetchDevices } from "/stream.js";
import { ProcessTable, ProgramTable } from "/tables.js";
import { durationText, element, timeText } from "/words.js";

const find = (id) => document.getElementById(id);
const stateWords = {
  online: "online", offline: "offline", lost: "lost", unknown: "no status", silent: "silent",
  recorded: "recorded",
};
/** A bridge says each minute that it is there. */
const silentSeconds = 200;

const devices = new Map();
let server = { series: 0 };
let current = null;
let seconds = 300;
let paused = false;
/** A stretch of time that was chosen in a chart; null: what comes. */
let zoom = null;
let board;
let redraw = 0;
/** The newest time of the device, and when it came, by a clock of ours that does not jump. */
let newest = { time: 0, at: 0 };

const lane = new EventLane(
  { lane: find("lane"), words: find("event"), count: find("event-count"), list: find("event-list") },
  (time) => board?.pointAt(time));
const processes = new ProcessTable(find("processes"), find("processes-more"));
const programs = new ProgramTable(
  { table: find("programs"), bridge: find("bridge"), server: find("server") });

const stream = new Stream({
  devices: (news) => {
    for (const device of news.devices) devices.set(device.id, device);
    server = news.server;
    showDevices();
    if (current === null && devices.size) choose(firstDevice());
  },
  update: (news) => {
    if (news.device !== current) return;
    for (const id of news.removedSeries) board.removeSeries(id);
    for (const series of news.series) board.addSeries(series);
    for (const points of news.points) {
      board.addPoints(points);
      noteTime(points.times[points.times.length - 1]);
    }
    takeEvents(news.events);
    if (news.processes) processes.show(news.processes);
    schedule();
  },
  resync: () => load(current),
  link: (state) => {
    find("link").textContent = state === "live" ? "live" : "connecting";
    find("link").dataset.state = state;
  },
});

const past = new Past(({ series, events }) => {
  for (const one of series) board.addRecorded(one);
  takeEvents(events);
  schedule(true);
});

function takeEvents(events) {
  lane.add(events);
  board.events = lane.events;
}

function noteTime(time) {
  if (time > newest.time) newest = { time, at: performance.now() };
}

const firstDevice = () =>
  [...devices.values()].sort((a, b) => a.id.localeCompare(b.id))
    .sort((a, b) => (b.state === "online") - (a.state === "online"))[0].id;

/** The end of what is shown: now, by the clock of the device; of one that is gone, its last word. */
function edge() {
  const device = devices.get(current);
  if (device && ["offline", "lost", "recorded"].includes(device.state)) return newest.time + 1;
  return newest.time + Math.min(600, (performance.now() - newest.at) / 1000);
}

function shownWindow() {
  if (zoom) return zoom;
  const end = edge();
  if (seconds > 0) return [end - seconds, end];
  const first = Math.min(board.firstTime, devices.get(current)?.recorded?.from ?? Infinity);
  return [Number.isFinite(first) ? Math.min(first, end - 60) : end - 300, end];
}

function draw() {
  redraw = 0;
  if (current === null || !board) return;
  const window = shownWindow();
  board.show(window);
  lane.show(window);
  past.want(window);
}

function schedule(now = false) {
  if ((paused || zoom) && !now) return;
  if (!redraw) redraw = requestAnimationFrame(draw);
}

// Time goes on also where nothing comes.
setInterval(() => {
  if (!document.hidden) {
    schedule();
    showDevices();
  }
}, 1000);

async function load(id) {
  stream.close();
  try {
    const [overview, device] = await Promise.all([
      fetchDevices(), id === null ? null : fetchDevice(id),
    ]);
    devices.clear();
    for (const one of overview.devices) devices.set(one.id, one);
    server = overview.server;
    current = device ? id : null;
    board.clear();
    lane.clear();
    newest = { time: 0, at: performance.now() };
    if (device) {
      for (const series of device.series) board.addSeries(series);
      takeEvents(device.events);
      processes.show(device.processes);
      const { recorded } = devices.get(id);
      const last = Math.max(board.lastTime, ...device.events.map((event) => event.time));
      noteTime(Number.isFinite(last) ? last : recorded?.to ?? Date.now() / 1000);
      // Of a full line the server has no more than it says.
      const full = device.series.filter((one) => one.dropped && one.times.length);
      past.begin(
        devices.get(id), Math.max(server.startedAt, ...full.map((one) => one.times[0])));
    }
    showDevices();
    stream.open(current, device ? device.position : overview.position);
    schedule(true);
    if (current === null && devices.size) choose(firstDevice());
  } catch (error) {
    find("link").textContent = "connecting";
    find("link").dataset.state = "waiting";
    setTimeout(() => load(id), 2000);
  }
}

function choose(id) {
  if (id === current) return;
  zoom = null;
  showRange();
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  current = id;
  load(id);
}

// The list of devices

function stateOf(device) {
  const age = Date.now() / 1000 - device.lastHeard;
  return device.state === "online" && age > silentSeconds ? "silent" : device.state;
}

function heardText(device) {
  if (device.lastHeard === undefined) return "nothing heard yet";
  return `heard ${durationText(Date.now() / 1000 - device.lastHeard)} ago`;
}

function showDevices() {
  const list = find("devices");
  const sorted = [...devices.values()].sort((a, b) => a.id.localeCompare(b.id));
  const present = new Map([...list.children].map((item) => [item.dataset.device, item]));
  const items = sorted.map((device) => {
    let item = present.get(device.id);
    if (!item) {
      const button = element(
        "button", { type: "button" }, element("span", { class: "dot", "aria-hidden": "true" }),
        element("span", { class: "id" }, device.id), element("span", { class: "when" }));
      button.addEventListener("click", () => choose(device.id));
      item = element("li", {}, button);
      item.dataset.device = device.id;
    }
    const state = stateOf(device);
    const button = item.firstChild;
    button.dataset.state = state;
    button.querySelector(".when").textContent = `${stateWords[state]}, ${heardText(device)}`;
    if (device.id === current) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    return item;
  });
  // Only what is out of place is moved: the focus stays.
  if (items.some((item, i) => list.children[i] !== item) || list.children.length !== items.length) {
    list.replaceChildren(...items);
  }
  showHead();
}

function showHead() {
  const device = devices.get(current);
  find("empty").hidden = devices.size > 0;
  find("device").hidden = !device;
  find("banner").hidden = !server.broker;
  find("banner").textContent = server.broker ? `No connection to the broker: ${server.broker}` : "";
  programs.showServer(server);
  if (!device) return;
  document.title = `${device.id} – stats-recording`;
  find("name").textContent = device.id;
  const state = stateOf(device);
  // "lost: connection lost" says nothing more.
  const reason = device.reason && state !== "lost" ? `: ${device.reason}` : "";
  find("state").dataset.state = state;
  find("state").textContent = `${stateWords[state]}${reason}`;
  const missing = device.programs.reduce((sum, program) => sum + program.missing, 0);
  const facts = [device.lastHeard === undefined ? "" : `last heard ${timeText(device.lastHeard)}`];
  facts.push(missing ? `${missing} records missing` : "nothing missing");
  if (device.version) facts.push(`bridge ${device.version}`);
  if (device.bootID) facts.push(`boot ${device.bootID.slice(0, 8)}`);
  if (device.recorded) {
    const read = past.isReading ? "reading what was recorded" : "recorded";
    facts.push(`${read} since ${timeText(device.recorded.from)}`);
  }
  find("facts").textContent = facts.filter(Boolean).join(" · ");
  programs.show(device);
}

// Time

function showRange() {
  for (const button of find("ranges").children) {
    button.setAttribute("aria-pressed", String(!zoom && Number(button.dataset.seconds) === seconds));
  }
  const isHeld = paused || zoom !== null;
  find("pause").setAttribute("aria-pressed", String(isHeld));
  find("pause").textContent = isHeld ? "Go on" : "Pause";
}

function range(chosen) {
  seconds = chosen;
  zoom = null;
  showRange();
  schedule(true);
}

function pause() {
  if (zoom) {
    zoom = null;
    paused = false;
  } else paused = !paused;
  showRange();
  schedule(true);
}

function zoomed(from, to) {
  const [begin, end] = shownWindow();
  // dygraphs calls back for double clicks too: then all of the window is chosen.
  zoom = !zoom && from <= begin && to >= end ? null : [from, to];
  showRange();
  schedule(true);
}

// Keys

function step(by) {
  const ids = [...devices.keys()].sort((a, b) => a.localeCompare(b));
  const at = ids.indexOf(current) + by;
  if (at >= 0 && at < ids.length) choose(ids[at]);
}

function focus(id) {
  const target = find(id);
  const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ behavior: quiet ? "auto" : "smooth", block: "start" });
  target.querySelector("button, [tabindex]")?.focus({ preventScroll: true });
}

const shortcuts = [
  ["?", "this list", () => toggleHelp()],
  ["1", "the last minute", () => range(60)],
  ["2", "the last 5 minutes", () => range(300)],
  ["3", "the last 30 minutes", () => range(1800)],
  ["4", "the last 2 hours", () => range(7200)],
  ["5", "all that is kept", () => range(0)],
  ["p", "pause, or go on with what comes", () => pause()],
  ["j", "next device", () => step(1)],
  ["k", "previous device", () => step(-1)],
  ["e", "to the events; then left and right arrow", () => find("lane").focus()],
  ["t", "to the processes", () => focus("processes-section")],
  ["l", "to the losses", () => focus("losses-section")],
];

function toggleHelp() {
  const help = find("help");
  if (help.open) help.close();
  else help.showModal();
}

find("shortcuts").append(...[...shortcuts, ["Esc", "close this list, forget the chosen event"]]
  .flatMap(([key, words]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)]));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") lane.select(null);
  if (find("help").open && event.key !== "?") return;
  const shortcut = shortcuts.find(([key]) => key === event.key);
  if (!shortcut) return;
  event.preventDefault();
  shortcut[2]();
});

find("help-open").addEventListener("click", toggleHelp);
find("help-close").addEventListener("click", toggleHelp);
find("pause").addEventListener("click", pause);
find("event-details").addEventListener("toggle", () => schedule(true));
for (const button of find("ranges").children) {
  button.addEventListener("click", () => range(Number(button.dataset.seconds)));
}

// A page that nobody sees needs nothing, and browsers allow few connections to one server.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream.close();
  else stream.open(current, stream.position());
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => board?.rebuild());

async function begin() {
  try {
    board = new ChartBoard(find("charts"), await fetchCharts(), zoomed);
    board.onPointer = (time) => lane.pointAt(time);
  } catch (error) {
    setTimeout(begin, 2000);
    return;
  }
  showRange();
  const wanted = decodeURIComponent(location.hash.slice(1));
  await load(null);
  if (wanted && devices.has(wanted)) choose(wanted);
}

begin();
