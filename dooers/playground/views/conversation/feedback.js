/** Thumbs up and down on a message. */

import { Icon } from "../../icons.js";
import { announce } from "../../state/session.js";
import { html, useEffect, useId, useRef, useState } from "../../ui.js";

/**
 * @param {{id: string, view: import("./row.js").View}} props `id`: the id of the event
 */
export function Feedback({ id, view }) {
  const given = view.conversation.feedback?.get(id);
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState("");
  const dislike = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const give = async (/** @type {"like" | "dislike"} */ feedback, /** @type {string} */ reason = "") => {
    setError("");
    try {
      await view.client.feedback("event", id, feedback, reason ? { reason } : {});
      announce(reason ? "Reason sent" : feedback === "like" ? "Liked" : "Disliked");
    } catch (refused) {
      setError(/** @type {Error} */ (refused).message);
    }
  };
  const close = (/** @type {boolean} */ isDone) => {
    setAsking(false);
    if (isDone) dislike.current?.focus();
  };
  return html`
    <button type="button" class="button quiet" aria-label="Good answer" title="Good answer" aria-pressed=${given === "like"}
      onClick=${() => give("like")}><${Icon} name="thumbUp" /></button>
    <span class="asks">
      <button type="button" class="button quiet" aria-label="Bad answer" title="Bad answer" aria-pressed=${given === "dislike"}
        aria-expanded=${isAsking} ref=${dislike} onClick=${() => {
          setAsking(!isAsking);
          if (given !== "dislike") give("dislike");
        }}><${Icon} name="thumbDown" /></button>
      ${isAsking && html`<${Reason} onClose=${close} onSend=${(/** @type {string} */ reason) => {
        if (reason.trim()) give("dislike", reason.trim());
        close(true);
      }} />`}
    </span>
    ${error && html`<span class="notice error" role="alert">${error}</span>`}`;
}

/**
 * @param {{onClose: (isDone: boolean) => void, onSend: (reason: string) => void}} props `isDone`: whether the user closed it.
 *   It also closes when the focus goes elsewhere and nothing was written
 */
function Reason({ onClose, onSend }) {
  const id = useId();
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => area.current?.focus(), []);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose(true);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      onSend(area.current?.value ?? "");
    }
  };
  const onFocusOut = (/** @type {FocusEvent & {currentTarget: HTMLElement}} */ event) => {
    const next = /** @type {Node | null} */ (event.relatedTarget);
    if (!event.currentTarget.contains(next) && !area.current?.value) onClose(false);
  };
  return html`<div class="popover" role="dialog" aria-label="Reason" onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
    <div class="field">
      <label for=${id}>What was wrong? <span class="muted">Optional</span></label>
      <textarea id=${id} class="input" rows="3" maxlength="1000" ref=${area}></textarea>
    </div>
    <div class="actions">
      <button type="button" class="button" onClick=${() => onClose(true)}>Close</button>
      <button type="button" class="button primary" onClick=${() => onSend(area.current?.value ?? "")}>Send</button>
    </div>
  </div>`;
}
