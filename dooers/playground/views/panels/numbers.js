/** Texts for sizes, times and amounts. */

/** @param {number} bytes */
export function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * The time of the day with milliseconds.
 *
 * @param {number} at in milliseconds
 */
export function clockOf(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "–";
  const pad = (/** @type {number} */ value, length = 2) => String(value).padStart(length, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** @param {number} ms */
export function durationOf(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** @param {number} value */
export function countOf(value) {
  return value.toLocaleString("en");
}

/**
 * Adds two decimal numbers exactly. A text that is not a decimal number counts as 0.
 *
 * @param {string} a
 * @param {string} b
 */
export function addDecimals(a, b) {
  const [left, right] = [a, b].map((text) => (/^-?\d{1,40}(\.\d{1,40})?$/.test(text) ? text : "0"));
  const places = Math.max(...[left, right].map((text) => text.split(".")[1]?.length ?? 0));
  const scaled = (/** @type {string} */ text) => {
    const [whole, fraction = ""] = text.split(".");
    return BigInt(whole + fraction.padEnd(places, "0"));
  };
  const sum = scaled(left) + scaled(right);
  if (places === 0) return String(sum);
  const digits = String(sum < 0n ? -sum : sum).padStart(places + 1, "0");
  const text = `${sum < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return text.replace(/\.?0+$/, "");
}
