// What recordings hold of the time that is shown, where this server was not there to hear it.
import { fetchPast } from "/stream.js";

/** Of a line and a window no more are asked for: a chart is not wider. */
const points = 1500;
/** A recorder may have written more: what was read so long ago is read again. */
const freshMilliseconds = 300000;

export class Past {
  #take;
  #device = null;
  #liveFrom = 0;
  /** Stretches that were read, each with the distance of its points. */
  #read = [];
  #wanted = null;
  isReading = false;

  /** `take({ series, events })` is called with what was read of the device that is shown. */
  constructor(take) {
    this.#take = take;
  }

  /** Another device, or the same again; the server has all of it from `liveFrom` on. */
  begin(device, liveFrom) {
    this.#device = device;
    this.#liveFrom = liveFrom;
    this.#read = [];
    this.#wanted = null;
  }

  /** This is shown: what is not there yet is read, one stretch after the other. */
  want([from, to]) {
    const recorded = this.#device?.recorded;
    if (!recorded) return;
    const stretch = {
      from: Math.max(from, recorded.from), to: Math.min(to, this.#liveFrom),
      spacing: (to - from) / points,
    };
    if (stretch.from >= stretch.to) return;
    const now = performance.now();
    this.#read = this.#read.filter((one) => now - one.at < freshMilliseconds);
    if (this.#read.some((one) => one.from <= stretch.from && one.to >= stretch.to
      && one.spacing <= 2 * stretch.spacing)) return;
    this.#wanted = stretch;
    if (!this.isReading) this.#readAll();
  }

  async #readAll() {
    this.isReading = true;
    while (this.#wanted) {
      const [device, stretch] = [this.#device, this.#wanted];
      this.#wanted = null;
      try {
        const past = await fetchPast(device.id, stretch.from, stretch.to, points);
        if (device !== this.#device) continue;
        this.#read.push({ ...stretch, at: performance.now() });
        this.#take(past);
      } catch (error) {
        // It is wanted again with what is drawn next.
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
    this.isReading = false;
  }
}
