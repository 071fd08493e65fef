// How values are written. Everything goes into the page as text, never as HTML.

const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const decimal = ["", "k", "M", "G", "T"];

function scaled(value, base, units) {
  let index = 0;
  let rest = Math.abs(value);
  while (rest >= base && index < units.length - 1) {
    rest /= base;
    index += 1;
  }
  return [Math.sign(value) * rest, units[index]];
}

function digits(value) {
  const size = Math.abs(value);
  const places = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(places)));
}

/** A value with its unit, as the charts' axes and legends show it. */
export function valueText(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  switch (unit) {
    case "ratio": return `${digits(value * 100)} %`;
    case "bytes": return bytesText(value);
    case "bytesPerSecond": return `${bytesText(value)}/s`;
    case "perSecond": return `${digits(value)}/s`;
    case "hertz": {
      const [number, prefix] = scaled(value, 1000, decimal);
      return `${digits(number)} ${prefix}Hz`;
    }
    case "celsius": return `${digits(value)} °C`;
    case "decibelMilliwatts": return `${digits(value)} dBm`;
    case "flag": return value === 1 ? "yes" : value === 0 ? "no" : "";
    default: return digits(value);
  }
}

export function bytesText(value) {
  const [number, unit] = scaled(value, 1024, binary);
  return `${digits(number)} ${unit}`;
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** Unix time in seconds as the time of day, with the date where it is another day. */
export function timeText(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const time = clock.format(date);
  return date.toDateString() === new Date().toDateString() ? time : `${day.format(date)}, ${time}`;
}

/** `3 s`, `5 min`, `2 h`, `4 days`. */
export function durationText(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export const countText = (count) => count.toLocaleString("en");

/** An element with text and children, without HTML. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else if (key in made && key !== "role") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
