/** The reasoning of an agent, folded. */

import { html } from "../../ui.js";
import { textOf } from "./content.js";
import { Fold } from "./fold.js";
import { between, count, duration } from "./format.js";
import { Parts } from "./parts.js";

/** @param {{event: import("../../client.js").ThreadEvent, endedAt?: string}} props `endedAt`: when the next event began */
export function Reasoning({ event, endedAt }) {
  const words = textOf(event.content).split(/\s+/).filter(Boolean).length;
  const took = endedAt ? duration(between(event.created_at, endedAt)) : "";
  const length = `${count(words)} ${words === 1 ? "word" : "words"}`;
  const summary = event.streaming
    ? html`<span class="name">Thinking…</span> <span class="muted">${length}</span>`
    : html`<span class="name">Reasoning</span> <span class="muted">${[took, length].filter(Boolean).join(", ")}</span>`;
  return html`<${Fold} id=${event.id} className="reasoning" summary=${summary}
    content=${() => html`<${Parts} id=${event.id} content=${event.content} markdown streaming=${event.streaming} />`} />`;
}
