/** Which dialog of the page is open. */

import { signal } from "../ui.js";

/** @typedef {"identity" | "token" | "help"} DialogName */

/** The open dialog. */
export const dialog = signal(/** @type {DialogName | null} */ (null));

/** Closes the open dialog. */
export function closeDialog() {
  dialog.value = null;
}
