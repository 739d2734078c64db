/** Texts of times, durations, sizes and amounts. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const whole = new Intl.NumberFormat();

/** @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : "");

/**
 * @param {Intl.DateTimeFormat} format
 * @param {unknown} value a point in time
 */
function formatTime(format, value) {
  const date = new Date(typeof value === "number" ? value : text(value));
  return Number.isNaN(date.getTime()) ? "" : format.format(date);
}

/** The time of the day. @param {unknown} value a point in time */
export const timeOfDay = (value) => formatTime(clock, value);

/** Date and time. @param {unknown} value a point in time */
export const dateAndTime = (value) => formatTime(full, value);

/** A number with separators. @param {number} value */
export const count = (value) => whole.format(value);

/**
 * The day of a point in time, in words.
 *
 * @param {unknown} value a point in time
 */
export function day(value) {
  const name = formatTime(calendar, value);
  if (name === calendar.format(Date.now())) return "Today";
  return name === calendar.format(Date.now() - 86_400_000) ? "Yesterday" : name;
}

/**
 * A duration, such as `<1 ms`, `850 ms`, `4.2 s` or `3 min 20 s`.
 *
 * @param {number} ms
 */
export function duration(ms) {
  if (!(ms >= 0)) return "";
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * The time between two points in time, in milliseconds. NaN if one is missing.
 *
 * @param {unknown} from
 * @param {unknown} to
 */
export function between(from, to) {
  return Date.parse(text(to)) - Date.parse(text(from));
}

/**
 * A size, such as `12 KiB`.
 *
 * @param {number} size
 */
export function bytes(size) {
  if (size < 1024) return `${size} B`;
  const kib = size / 1024;
  if (kib < 1024) return `${kib < 10 ? kib.toFixed(1) : Math.round(kib)} KiB`;
  const mib = kib / 1024;
  return `${mib < 10 ? mib.toFixed(1) : Math.round(mib)} MiB`;
}

/**
 * The exact sum of decimal numbers, which floating point numbers would round.
 *
 * @param {string[]} amounts
 */
export function sum(amounts) {
  const parts = amounts.filter((amount) => /^-?\d+(\.\d+)?$/.test(amount)).map((amount) => amount.split("."));
  const scale = Math.max(0, ...parts.map(([, fraction]) => fraction?.length ?? 0));
  const total = parts.reduce((all, [integer, fraction = ""]) => all + BigInt(integer + fraction.padEnd(scale, "0")), 0n);
  if (scale === 0) return String(total);
  const digits = String(total < 0n ? -total : total).padStart(scale + 1, "0");
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, "");
  return total < 0n ? `-${text}` : text;
}
