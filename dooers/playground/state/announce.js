/** The live region: texts for users of a screen reader. */

import { signal } from "../ui.js";

/** The text that is read next. */
export const announcement = signal("");

/**
 * Reads a text to users of a screen reader, when they pause.
 *
 * @param {string} text
 */
export function announce(text) {
  // A text that is equal to the previous one would not be read again.
  announcement.value = announcement.value === text ? `${text}\u00a0` : text;
}
