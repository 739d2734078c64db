/** The list of shortcuts. */

import { keyNames, keysOf, shortcuts, singleKeys, useSingleKeys } from "../../state/shortcuts.js";
import { html, useValue } from "../../ui.js";
import { Dialog } from "./dialog.js";

/** @param {{onClose: () => void}} props */
export function HelpDialog({ onClose }) {
  const list = useValue(shortcuts);
  const areOn = useValue(singleKeys);
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
    <dl class="shortcuts">
      ${list.map(
        (shortcut) => html`<div key=${shortcut.label}>
          <dt>${shortcut.label}</dt>
          <dd>${keysOf(shortcut).map((keys, index) => html`${index > 0 && html`<span class="muted">or</span>`}<${Keys} keys=${keys} />`)}</dd>
        </div>`,
      )}
    </dl>
    <label class="choice">
      <input
        type="checkbox"
        checked=${areOn}
        onChange=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => useSingleKeys(event.currentTarget.checked)}
      />
      <span>Shortcuts of a single key <span class="muted">They do nothing while you type.</span></span>
    </label>
  <//>`;
}

/** @param {{keys: string}} props */
function Keys({ keys }) {
  return html`<span class="keys">${keyNames(keys).map((key) => html`<kbd key=${key}>${key}</kbd>`)}</span>`;
}
