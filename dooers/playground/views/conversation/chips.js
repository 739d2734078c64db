/** What a message that is being written contains beside its text: long pasted texts and links. */

import { Icon } from "../../icons.js";
import { html } from "../../ui.js";
import { Fold } from "./fold.js";
import { count } from "./format.js";
import { plain } from "../../plain.js";

/** Length of the preview of a pasted text. */
const PREVIEW = 20_000;

/** @param {{draft: import("./draft.js").Draft, onRemove: (list: "pastes" | "attachments", position: number) => void}} props */
export function Chips({ draft: { pastes, attachments }, onRemove }) {
  if (pastes.length === 0 && attachments.length === 0) return null;
  return html`<ul class="chips" aria-label="Attachments">
    ${pastes.map((text, position) => html`<${Paste} key=${`paste ${position} ${text.length}`} text=${text}
      id=${`paste ${position} ${text.length}`} onRemove=${() => onRemove("pastes", position)} />`)}
    ${attachments.map(({ type, filename, url }, position) => html`<li class="chip" key=${`link ${position} ${url}`}>
      <span class="muted">${type}</span> <bdi class="text">${plain(filename || url)}</bdi>
      <${Remove} label=${`Remove ${type}`} onClick=${() => onRemove("attachments", position)} />
    </li>`)}
  </ul>`;
}

/** @param {{id: string, text: string, onRemove: () => void}} props */
function Paste({ id, text, onRemove }) {
  const lines = text.split("\n").length;
  const size = lines > 1 ? `${count(lines)} lines` : `${count(text.length)} characters`;
  const preview = `${plain(text.slice(0, PREVIEW))}${text.length > PREVIEW ? "…" : ""}`;
  const summary = html`<span class="muted">Pasted text, ${size}</span>
    <span class="text" dir="auto">${plain(text.trimStart().slice(0, 80))}</span>`;
  return html`<li class="chip paste">
    <${Fold} id=${id} summary=${summary} content=${() => html`<pre tabindex="0">${preview}</pre>`} />
    <${Remove} label="Remove pasted text" onClick=${onRemove} />
  </li>`;
}

/** @param {{label: string, onClick: () => void}} props */
function Remove({ label, onClick }) {
  return html`<button type="button" class="button quiet" aria-label=${label} title=${label} onClick=${onClick}>
    <${Icon} name="close" />
  </button>`;
}
