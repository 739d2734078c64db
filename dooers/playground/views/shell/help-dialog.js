/** The list of shortcuts, and what the page loads from other hosts. */

import { askAgain, loadAlways, media } from "../../state/media.js";
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
    <${MediaChoice} />
  <//>`;
}

/** The images and sounds that are loaded without a question. */
function MediaChoice() {
  const { always, origins } = useValue(media);
  return html`<section class="media-choice" aria-labelledby="media-choice">
    <h3 id="media-choice">Images and sounds of other hosts</h3>
    <label class="choice">
      <input
        type="checkbox"
        checked=${always}
        onChange=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => loadAlways(event.currentTarget.checked)}
      />
      <span>Load them without asking <span class="muted">Each host learns your address, and when you read a message.</span></span>
    </label>
    ${!always &&
    origins.length > 0 &&
    html`<ul aria-label="Hosts that are loaded without asking">
      ${origins.map(
        (origin) => html`<li key=${origin}>
          <bdi>${new URL(origin).host}</bdi>
          <button type="button" class="button quiet" aria-label=${`Ask again: ${new URL(origin).host}`} onClick=${() => askAgain(origin)}>Ask again</button>
        </li>`,
      )}
    </ul>`}
  </section>`;
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
