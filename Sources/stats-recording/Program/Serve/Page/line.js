// The points of one line of a chart, and rows of several lines for dygraphs.

/** So many points that came are kept, and so many with those that were recorded. */
const pointLimit = 3600;
const recordedLimit = 20000;

export class Line {
  times = [];
  values = [];
  #limit = pointLimit;

  constructor({ id, label, times = [], values = [] }) {
    this.id = id;
    this.label = label;
    this.times = times;
    this.values = values;
  }

  /** Puts points in by their times; one that is there already stays one. */
  add(times, values) {
    for (let i = 0; i < times.length; i += 1) {
      const place = this.indexAt(times[i]);
      if (this.times[place] === times[i]) this.values[place] = values[i];
      else {
        this.times.splice(place, 0, times[i]);
        this.values.splice(place, 0, values[i]);
      }
    }
    const excess = this.times.length - this.#limit;
    if (excess > 100) {
      this.times.splice(0, excess);
      this.values.splice(0, excess);
    }
  }

  /** Puts in points that were recorded: there is room for them beside those that come. */
  addRecorded(times, values) {
    this.#limit = Math.min(recordedLimit, this.#limit + times.length);
    this.add(times, values);
  }

  get last() {
    return this.values.length ? this.values[this.values.length - 1] : null;
  }

  indexAt(time) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  maximum(from, to) {
    let result = -Infinity;
    for (let i = this.indexAt(from); i < this.times.length && this.times[i] <= to; i += 1) {
      if (this.values[i] !== null && this.values[i] > result) result = this.values[i];
    }
    return result;
  }

  /** The value nearest to a time, if there is one near it in the window. */
  valueNear(time, reach) {
    const right = this.indexAt(time);
    const near = [right - 1, right].filter((i) => i >= 0 && i < this.times.length);
    const best = near.sort((a, b) => Math.abs(this.times[a] - time) - Math.abs(this.times[b] - time))[0];
    return best !== undefined && Math.abs(this.times[best] - time) <= reach ? this.values[best] : null;
  }
}

/** Rows for dygraphs: null where a line has no point at that time, NaN where it has a gap. */
export function rowsOf(lines, from, to) {
  const places = lines.map((line) => Math.max(0, line.indexAt(from) - 1));
  const ends = lines.map((line) => Math.min(line.times.length, line.indexAt(to) + 1));
  const rows = [];
  for (;;) {
    let time = Infinity;
    for (let i = 0; i < lines.length; i += 1) {
      if (places[i] < ends[i] && lines[i].times[places[i]] < time) time = lines[i].times[places[i]];
    }
    if (time === Infinity) return rows;
    const row = [time * 1000];
    for (let i = 0; i < lines.length; i += 1) {
      if (places[i] < ends[i] && lines[i].times[places[i]] === time) {
        const value = lines[i].values[places[i]];
        row.push(value === null ? NaN : value);
        places[i] += 1;
      } else row.push(null);
    }
    rows.push(row);
  }
}
