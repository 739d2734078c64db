/** Copying to the clipboard. */

import { announce } from "../../state/session.js";
import { html } from "../../ui.js";
import { Icon } from "../../icons.js";

/**
 * Copies a text, and shows on the button that it did.
 *
 * @param {string} text
 * @param {HTMLElement} button
 */
export async function copyText(text, button) {
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = "Not copied: the browser does not allow it here";
  }
  button.dataset.done = done;
  announce(done);
  setTimeout(() => delete button.dataset.done, 1500);
}

/**
 * A button with an icon that copies a text.
 *
 * @param {{text: () => string, label: string}} props `text` is called when the button is used
 */
export function CopyButton({ text, label }) {
  return html`<button type="button" class="button quiet copy" aria-label=${label} title=${label}
    onClick=${(/** @type {MouseEvent & {currentTarget: HTMLElement}} */ event) => copyText(text(), event.currentTarget)}>
    <${Icon} name="copy" />
  </button>`;
}
