/** The form that sends a frame as it is written. */

import { Icon } from "../../icons.js";
import { frames } from "../../state/frames.js";
import { announce, client, conversation, identity, threadId } from "../../state/session.js";
import { html, signal, useChanges, useEffect, useId, useRef, useState, useValue } from "../../ui.js";
import { isAnswer, requestTypes, templateOf } from "./frame-templates.js";
import { findJsonError } from "./json.js";
import { JsonView } from "./json-view.js";

/** @typedef {import("../../state/frames.js").LogEntry} LogEntry */

/** The text stays while the form is closed. */
const draft = signal("");

function contextOf() {
  const shown = /** @type {Partial<import("../../client.js").Conversation> | null} */ (conversation.peek());
  return {
    identity: identity.peek(),
    threadId: shown?.threadId ?? threadId.peek(),
    eventId: shown?.events?.at(-1)?.id ?? null,
    runId: [...(shown?.runs?.keys() ?? [])].at(-1) ?? null,
  };
}

/**
 * Sends a raw frame, and shows its answer.
 *
 * @param {{mask: (text: string) => string}} props
 */
export function SendFrame({ mask }) {
  const id = useId();
  const text = useValue(draft);
  const source = useValue(client);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [error, setError] = useState(/** @type {import("./json.js").JsonError | null} */ (null));
  const [failure, setFailure] = useState("");
  const [sent, setSent] = useState(/** @type {LogEntry | null} */ (null));
  const answer = useAnswer(sent);
  const result = useRef(/** @type {HTMLDivElement | null} */ (null));
  // The answer is below the form, which may fill the pane.
  useEffect(() => result.current?.scrollIntoView({ block: "nearest" }), [sent, answer]);

  const write = (/** @type {string} */ value) => {
    draft.value = value;
    setError(null);
    setFailure("");
  };
  const send = (isForced = false) => {
    const found = isForced ? null : findJsonError(text);
    setError(found);
    setFailure("");
    if (found) {
      field.current?.focus();
      field.current?.setSelectionRange(found.offset, found.offset + 1);
      return;
    }
    const before = frames.next;
    try {
      if (!source) throw new Error("There is no connection.");
      source.sendRaw(text);
      setSent(frames.between(before, frames.next).find(({ direction }) => direction === "out") ?? null);
    } catch (caught) {
      setFailure(caught instanceof Error ? caught.message : String(caught));
    }
  };

  return html`<form
    class="send-frame"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      send();
    }}
  >
    <div class="field">
      <label for=${`${id}-template`}>Template</label>
      <select
        id=${`${id}-template`}
        class="input"
        value=""
        onChange=${(/** @type {Event} */ event) => {
          const select = /** @type {HTMLSelectElement} */ (event.currentTarget);
          if (select.value) write(templateOf(select.value, contextOf()));
          select.value = "";
        }}
      >
        <option value="">Choose a request…</option>
        ${requestTypes.map((type) => html`<option key=${type} value=${type}>${type}</option>`)}
      </select>
    </div>
    <div class="field">
      <label for=${`${id}-text`}>Frame</label>
      <textarea
        id=${`${id}-text`}
        ref=${field}
        class="input mono"
        rows="6"
        spellcheck=${false}
        autocomplete="off"
        placeholder=${'{ "id": "1", "type": "ping", "payload": {} }'}
        aria-invalid=${error !== null}
        aria-describedby=${`${id}-error`}
        value=${text}
        onInput=${(/** @type {Event} */ event) => write(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
        }}
      ></textarea>
    </div>
    <div id=${`${id}-error`} aria-live="polite">
      ${
        error &&
        html`<p class="notice error">
          Line ${error.line}, column ${error.column}: ${error.message}
        </p>`
      }
      ${failure && html`<p class="notice error">The frame was not sent: ${failure}</p>`}
    </div>
    <div class="actions">
      ${
        error &&
        html`<button class="button" type="button" onClick=${() => send(true)}>Send anyway</button>`
      }
      <button class="button primary" type="submit" disabled=${text === ""}><${Icon} name="send" /> Send</button>
    </div>
    ${
      sent &&
      html`<div class="answer" ref=${result}>
        <h3>Answer</h3>
        ${
          answer
            ? html`<${JsonView} text=${mask(answer.text)} isJson=${answer.isJson} label="Answer" />`
            : html`<p class="muted">Waiting for the answer…</p>`
        }
      </div>`
    }
  </form>`;
}

/**
 * Finds the answer to a frame in the log, as soon as it arrives.
 *
 * @param {LogEntry | null} sent
 */
function useAnswer(sent) {
  useChanges(sent ? frames : null);
  const found = useRef(/** @type {{sent: LogEntry, answer: LogEntry} | null} */ (null));
  if (!sent) return null;
  if (found.current?.sent === sent) return found.current.answer;
  const answer = frames.between(sent.index + 1, frames.next).find((entry) => isAnswer(sent, entry));
  if (!answer) return null;
  found.current = { sent, answer };
  announce(`Answer: ${answer.type} ${answer.hint ?? ""}`);
  return answer;
}
