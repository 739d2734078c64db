/** Values that the browser keeps: for all tabs ("local") or for this tab only ("session"). */

/** @typedef {"local" | "session"} Area */

/** @param {Area} area */
function storageOf(area) {
  try {
    return area === "local" ? window.localStorage : window.sessionStorage;
  } catch {
    // The browser forbids storage to this page.
    return undefined;
  }
}

/** The storage that outlives the tab, or undefined if the browser forbids it. */
export const localArea = storageOf("local");

const prefix = "dooers.playground.";

/**
 * Reads a value. Returns undefined if there is none, or if it cannot be read.
 *
 * @param {Area} area
 * @param {string} key
 * @returns {unknown}
 */
export function load(area, key) {
  try {
    const text = storageOf(area)?.getItem(prefix + key);
    return text == null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Stores a value. `undefined` removes it.
 *
 * @param {Area} area
 * @param {string} key
 * @param {unknown} value
 */
export function save(area, key, value) {
  try {
    if (value === undefined) storageOf(area)?.removeItem(prefix + key);
    else storageOf(area)?.setItem(prefix + key, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden. The page works without it.
  }
}

/**
 * Calls a function after another tab has changed a value of the area "local".
 *
 * @param {string} key
 * @param {() => void} changed
 */
export function onChangeElsewhere(key, changed) {
  addEventListener("storage", (event) => {
    if (event.key === prefix + key || event.key === null) changed();
  });
}
