// The tables: processes, and what each program sent and lost.
import { bytesText, countText, durationText, element, valueText } from "/words.js";

const processColumns = [
  { key: "name", title: "Name", text: (row) => (row.ecu ? `${row.name} on ${row.ecu}` : row.name) },
  { key: "pid", title: "PID", number: true, text: (row) => String(row.pid) },
  { key: "cpuRatio", title: "CPU", number: true, text: (row) => valueText(row.cpuRatio, "ratio") },
  {
    key: "residentBytes", title: "Memory", number: true,
    text: (row) => (row.residentBytes === undefined ? "–" : bytesText(row.residentBytes)),
  },
  { key: "threads", title: "Threads", number: true, extra: true, text: (row) => String(row.threads ?? "–") },
  { key: "state", title: "State", extra: true, text: (row) => row.state ?? "–" },
  { key: "userID", title: "User", number: true, extra: true, text: (row) => String(row.userID ?? "–") },
];
const shownRows = 50;

const cellClass = (column) =>
  [column.number ? "number" : "", column.extra ? "extra" : ""].filter(Boolean).join(" ");

export class ProcessTable {
  #sort = { key: "cpuRatio", descending: true };
  #rows = [];

  constructor(table, more) {
    this.table = table;
    this.more = more;
    this.#showHead();
  }

  #showHead() {
    const cells = processColumns.map((column) => {
      const isSorted = this.#sort.key === column.key;
      const arrow = isSorted ? (this.#sort.descending ? " ▾" : " ▴") : "";
      const button = element("button", { type: "button" }, column.title + arrow);
      button.addEventListener("click", () => {
        const descending = isSorted ? !this.#sort.descending : Boolean(column.number);
        this.#sort = { key: column.key, descending };
        this.#showHead();
        this.show(this.#rows);
        this.table.tHead.rows[0].cells[processColumns.indexOf(column)].firstChild.focus();
      });
      const cell = element("th", { class: cellClass(column), scope: "col" }, button);
      if (isSorted) cell.setAttribute("aria-sort", this.#sort.descending ? "descending" : "ascending");
      return cell;
    });
    this.table.tHead.rows[0].replaceChildren(...cells);
  }

  show(rows) {
    this.#rows = rows;
    const { key, descending } = this.#sort;
    const sorted = [...rows].sort((a, b) => {
      const [left, right] = [a[key] ?? -1, b[key] ?? -1];
      const order = typeof left === "string" ? left.localeCompare(String(right)) : left - right;
      return (descending ? -order : order) || a.pid - b.pid;
    });
    this.table.tBodies[0].replaceChildren(...sorted.slice(0, shownRows).map((row) =>
      element("tr", {}, ...processColumns.map((column) =>
        element("td", { class: cellClass(column) }, column.text(row))))));
    this.more.textContent = !rows.length
      ? "No processes have been told; cyclic-file-read tells them."
      : rows.length > shownRows ? `${countText(rows.length - shownRows)} more are not shown` : "";
  }
}

const programColumns = [
  { title: "Program", text: (row) => row.name },
  { title: "State", text: (row) => (row.reason ? `${row.state}: ${row.reason}` : row.state ?? "–") },
  { title: "Received", number: true, text: (row) => countText(row.received) },
  { title: "Missing", number: true, loss: true, text: (row) => countText(row.missing) },
  { title: "Dropped at full queue", number: true, loss: true, text: (row) => countText(row.droppedAtSource) },
  { title: "Came twice", number: true, extra: true, text: (row) => countText(row.duplicated) },
  { title: "Restarts", number: true, extra: true, text: (row) => countText(row.restarts) },
  {
    title: "Last record", number: true, extra: true,
    text: (row, last) => (row.lastTime === undefined ? "–" : `${durationText(last - row.lastTime)} before`),
  },
];

export class ProgramTable {
  constructor({ table, bridge, server }) {
    this.table = table;
    this.bridge = bridge;
    this.server = server;
    table.tHead.rows[0].replaceChildren(...programColumns.map((column) =>
      element("th", { class: cellClass(column), scope: "col" }, column.title)));
  }

  show(device) {
    // By the device's own clock, which may not be ours.
    const last = Math.max(...device.programs.map((row) => row.lastTime ?? 0));
    this.table.tBodies[0].replaceChildren(...device.programs.map((row) =>
      element("tr", {}, ...programColumns.map((column) => {
        const text = column.text(row, last);
        const cell = element("td", { class: cellClass(column) }, text);
        if (column.loss && text !== "0") cell.classList.add("loss");
        return cell;
      }))));
    const counts = Object.entries(device.bridge)
      .filter(([name, count]) => count > 0 || ["records_lost", "records_refused"].includes(name))
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${name.replaceAll("_", " ")} ${countText(count)}`);
    const refusal = device.refusal ? ` The broker refused: ${device.refusal}.` : "";
    this.bridge.textContent = counts.length ? `The bridge says: ${counts.join(", ")}.${refusal}` : "";
  }

  showServer(server) {
    const parts = [`${countText(server.series)} lines kept`];
    if (server.seriesDropped) parts.push(`${countText(server.seriesDropped)} given up for others`);
    if (server.pointsDropped) parts.push(`${countText(server.pointsDropped)} old points given up`);
    if (server.devicesRefused) {
      parts.push(`${countText(server.devicesRefused)} messages of too many devices refused`);
    }
    if (server.messagesRefused) {
      parts.push(`${countText(server.messagesRefused)} messages that are no records, the last: ${server.refusal}`);
    }
    this.server.textContent = `This server: ${parts.join(", ")}.`;
  }
}
