/** The list of shortcuts. */

import { keyNames, keysOf, shortcuts, singleKeys, useSingleKeys } from "../../state/shortcuts.js";
import { html, useValue } from "../../ui.js";
import { Dialog } from "./dialog.js";

/** The keys of the composer, which are no shortcuts of the page. @type {[string, string[]][]} */
const composerKeys = [
  ["Send the message", ["Enter"]],
  ["Start a new line", ["Shift+Enter"]],
  ["Stop the answer", ["Escape+Escape", "Mod+."]],
];

/** @param {{onClose: () => void}} props */
export function HelpDialog({ onClose }) {
  const list = useValue(shortcuts);
  const areOn = useValue(singleKeys);
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
    <dl class="shortcuts">
      ${composerKeys.map(([label, keys]) => html`<${Row} key=${label} label=${label} keys=${keys} />`)}
      ${list
        .filter(({ label }) => !composerKeys.some(([listed]) => listed === label))
        .map((shortcut) => html`<${Row} key=${shortcut.label} label=${shortcut.label} keys=${keysOf(shortcut)} />`)}
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

/** @param {{label: string, keys: string[]}} props */
function Row({ label, keys }) {
  return html`<div>
    <dt>${label}</dt>
    <dd>${keys.map((one, index) => html`${index > 0 && html`<span class="muted">or</span>`}<${Keys} keys=${one} />`)}</dd>
  </div>`;
}

/** @param {{keys: string}} props */
function Keys({ keys }) {
  return html`<span class="keys">${keyNames(keys).map((key) => html`<kbd>${key}</kbd>`)}</span>`;
}
