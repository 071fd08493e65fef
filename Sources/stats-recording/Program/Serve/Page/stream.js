// What comes from the server: asked once, then followed as server-sent events.

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export const fetchDevices = () => ask("/api/devices");
export const fetchCharts = () => ask("/api/charts");

/** All that is known of a device; the stream goes on from `position`. */
export async function fetchDevice(id) {
  const query = `?device=${encodeURIComponent(id)}`;
  // The lines first: what comes meanwhile is told again, and taken once.
  const { position, series } = await ask(`/api/series${query}&points=2000`);
  const [events, processes] = await Promise.all([
    ask(`/api/events${query}`), ask(`/api/processes${query}`),
  ]);
  return { position, series, events, processes };
}

/** What recordings hold of a device in a stretch of time, at most so many points of each line. */
export async function fetchPast(id, from, to, points) {
  const query = `?device=${encodeURIComponent(id)}&from=${from}&to=${to}`;
  const { series } = await ask(`/api/series${query}&points=${points}`);
  // Of what the server has just read.
  return { series, events: await ask(`/api/events${query}`) };
}

/** Follows the server; goes on where it was after a break, as the browser does by itself. */
export class Stream {
  #source = null;
  #retry = 0;
  #handlers;

  /** `handlers`: devices, update, resync, link(state). */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  open(device, position) {
    this.close();
    const query = new URLSearchParams();
    if (device !== null) query.set("device", device);
    if (position) query.set("after", position);
    const source = new EventSource(`/events?${query}`);
    this.#source = source;
    let last = position;
    const on = (name, take) => source.addEventListener(name, (event) => {
      last = event.lastEventId || last;
      take(JSON.parse(event.data));
    });
    on("devices", this.#handlers.devices);
    on("update", this.#handlers.update);
    on("resync", this.#handlers.resync);
    source.onopen = () => this.#handlers.link("live");
    source.onerror = () => {
      this.#handlers.link("waiting");
      // Where the server answered with an error the browser gives up; we do not.
      if (source.readyState === EventSource.CLOSED) {
        this.#retry = setTimeout(() => this.open(device, last), 3000);
      }
    };
    this.position = () => last;
  }

  position = () => null;

  close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }
}
