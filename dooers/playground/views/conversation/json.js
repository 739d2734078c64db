/** Values as JSON. */

import { writeJson } from "../../client.js";
import { html } from "../../ui.js";
import { CopyButton } from "./copy.js";
import { Fold, useKept } from "./fold.js";
import { bytes } from "./format.js";
import { plain, plainJson } from "../../plain.js";

/** A longer text is cut until the user asks for all of it. */
const SHOWN = 16_000;

/** Texts are laid out in pieces of about this length, so that the browser can skip those out of sight. */
const PIECE = 8_000;

/** @param {unknown} value */
export function pretty(value) {
  return typeof value === "string" ? value : writeJson(value, 2) ?? "undefined";
}

/**
 * A value as JSON, or a text as it is. Large ones are cut.
 *
 * @param {{id: string, label: string, value: unknown, exact?: string}} props `exact`: the text of a rounded number
 */
export function Json({ id, label, value, exact }) {
  const [isWhole, setWhole] = useKept(`whole ${id}`, false);
  const text = exact ?? pretty(value);
  const safe = typeof value === "string" ? plain(text) : plainJson(text);
  const isCut = safe.length > SHOWN && !isWhole;
  const size = `${label}, ${bytes(text.length)}`;
  return html`<div class="json">
    <div class="bar"><span>${label}</span><${CopyButton} text=${() => text} label=${`Copy ${label.toLowerCase()}`} /></div>
    <pre tabindex="0" role="region" aria-label=${size}>${isCut ? `${safe.slice(0, SHOWN)}…` : pieces(safe)}</pre>
    ${isCut && html`<button type="button" class="button quiet" onClick=${() => setWhole(true)}>
      Show all (${bytes(text.length)})
    </button>`}
  </div>`;
}

/** @param {string} text */
function pieces(text) {
  if (text.length <= PIECE) return text;
  const made = [];
  for (let from = 0; from < text.length;) {
    const line = text.indexOf("\n", from + PIECE);
    const end = line < 0 || line > from + 2 * PIECE ? Math.min(from + 2 * PIECE, text.length) : line + 1;
    made.push(html`<span class="piece">${text.slice(from, end)}</span>`);
    from = end;
  }
  return made;
}

/**
 * Something that this page does not know, as folded JSON.
 *
 * @param {{id: string, name: string, value: unknown}} props
 */
export function Unknown({ id, name, value }) {
  return html`<${Fold} id=${`raw ${id}`} className="unknown" summary=${html`<span class="mono">${plain(name)}</span>`}
    content=${() => html`<${Json} id=${id} label="JSON" value=${value} />`} />`;
}
