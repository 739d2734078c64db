/** Texts of the server as sentences of the page. */

import { html } from "../ui.js";

/**
 * The text of an error as a sentence. Names of the protocol, which the server writes between backticks, are code.
 *
 * @param {string} text
 */
export function sentence(text) {
  const whole = `${text.charAt(0).toUpperCase()}${text.slice(1)}${text && !/[.!?…]$/.test(text) ? "." : ""}`;
  return whole.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}
