/** The details of a row, below its list. */

import { Icon } from "../../icons.js";
import { html } from "../../ui.js";
import { CopyButton, JsonView } from "./json-view.js";

/**
 * A JSON text with its title. Escape and a button close it.
 *
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.text
 * @param {boolean} [props.isJson] whether the text is JSON
 * @param {string} props.label names the text for users of a screen reader
 * @param {() => void} props.onClose
 * @param {unknown} [props.children] what is above the text
 */
export function Details({ title, text, isJson = true, label, onClose, children }) {
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onClose();
  };
  return html`<div class="pane details" onKeyDown=${onKeyDown}>
    <header class="pane-head">
      <h3>${title}</h3>
      <${CopyButton} text=${() => text} />
      <button class="button quiet" type="button" aria-label="Close the details" onClick=${onClose}>
        <${Icon} name="close" />
      </button>
    </header>
    ${children}
    <${JsonView} text=${text} isJson=${isJson} label=${label} />
  </div>`;
}
