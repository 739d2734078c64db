/** Short messages above the page, such as the error of an action. */

import { ConnectionLost } from "../client.js";
import { signal } from "../ui.js";

/** @typedef {{id: number, kind: "info" | "error", text: string, count: number}} Toast */

const maxToasts = 4;
const maxText = 600;
let lastId = 0;

/** The messages that are shown, the oldest first. */
export const toasts = signal(/** @type {Toast[]} */ ([]));

/**
 * Shows a message. A message that is shown already is counted instead.
 *
 * @param {string} text
 * @param {"info" | "error"} [kind]
 */
export function toast(text, kind = "info") {
  const shown = text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  const same = toasts.value.find((other) => other.text === shown && other.kind === kind);
  const others = toasts.value.filter((other) => other !== same);
  lastId += 1;
  toasts.value = [...others, { id: lastId, kind, text: shown, count: (same?.count ?? 0) + 1 }].slice(-maxToasts);
}

/**
 * Shows the error of an action.
 *
 * @param {string} action what failed, for example "The conversation was not deleted"
 * @param {unknown} error
 */
export function toastError(action, error) {
  toast(`${action}: ${errorText(error)}`, "error");
}

/** @param {number} id */
export function dismissToast(id) {
  toasts.value = toasts.value.filter((other) => other.id !== id);
}

/**
 * The text of anything that can be thrown.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function errorText(error) {
  if (error instanceof Error) return error.message || error.name;
  try {
    return String(error);
  } catch {
    return "unknown error";
  }
}

/** Shows errors that no code has handled. */
export function showUnhandledErrors() {
  addEventListener("error", (event) => {
    // Chromium reports observers that take more than one frame as an error. They catch up in the next frame.
    if (event.message?.startsWith("ResizeObserver loop")) return;
    toast(`Something went wrong: ${errorText(event.error ?? event.message)}`, "error");
  });
  addEventListener("unhandledrejection", (event) => {
    // The page shows the state of the connection elsewhere.
    if (event.reason instanceof ConnectionLost) return;
    toast(`Something went wrong: ${errorText(event.reason)}`, "error");
  });
}
