/** A message that the server has not stored yet. */

import { Icon } from "../../icons.js";
import { identityName } from "../../state/identities.js";
import { identity } from "../../state/session.js";
import { html } from "../../ui.js";
import { sentence } from "../sentence.js";
import { Parts } from "./parts.js";
import { plain } from "../../plain.js";

/** @param {{outgoing: import("../../client.js").OutgoingMessage, view: import("./row.js").View}} props */
export function Outgoing({ outgoing, view }) {
  const { client_event_id: id, event, status, error } = outgoing;
  const isFailed = status === "failed";
  return html`
    <p class="author"><bdi class="author-name">${plain(identityName(identity.value))}</bdi>
      <span class=${isFailed ? "" : "delayed"}>${isFailed ? "Not sent" : "Sending…"}</span></p>
    <div class="body">
      ${event.type === "form.response"
        ? html`<p>${event.data?.cancelled ? "Canceled the form." : "Answered the form."}</p>`
        : html`<${Parts} id=${id} content=${event.content} />`}
    </div>
    ${isFailed && html`<div class="notice error refused" role="alert">
      <p>${sentence(plain(error?.message ?? "The server refused this message."))}</p>
      <div class="actions">
        <button type="button" class="button" onClick=${() => view.conversation.retry(id)}><${Icon} name="retry" />Retry</button>
        <button type="button" class="button" onClick=${() => view.conversation.discard(id)}>Discard</button>
      </div>
    </div>`}`;
}
