/** The messages whose turns have not started yet. */

import { html, useState } from "../../ui.js";
import { textOf } from "./content.js";
import { plain } from "../../plain.js";

/** @param {{view: import("./row.js").View}} props */
export function Queue({ view }) {
  const queued = view.conversation.queued ?? [];
  if (queued.length === 0) return null;
  return html`<section class="queue" aria-label="Waiting messages">
    <p class="muted">
      ${queued.length === 1 ? "1 message waits" : `${queued.length} messages wait`} for the end of this turn.
    </p>
    <ol>${queued.map((event) => html`<${Waiting} key=${event.id} event=${event} view=${view} />`)}</ol>
  </section>`;
}

/** @param {{event: import("../../client.js").ThreadEvent, view: import("./row.js").View}} props */
function Waiting({ event, view }) {
  const [error, setError] = useState("");
  const [isGoing, setGoing] = useState(false);
  const withdraw = async () => {
    setGoing(true);
    try {
      await view.client.cancel({ event_id: event.id });
    } catch (refused) {
      setError(/** @type {Error} */ (refused).message);
      setGoing(false);
    }
  };
  const text = event.type === "form.response" ? "Answer to a form" : textOf(event.content) || "Attachment";
  return html`<li>
    <span class="text" dir="auto">${plain(text.slice(0, 200))}</span>
    ${error && html`<span class="notice error" role="alert">${error}</span>`}
    ${view.client.supports("run.cancel")
      && html`<button type="button" class="button quiet" disabled=${isGoing} onClick=${withdraw}>Withdraw</button>`}
  </li>`;
}
