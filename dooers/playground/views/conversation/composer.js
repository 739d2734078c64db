/** The field in which a message is written. */

import { Icon } from "../../icons.js";
import { announce } from "../../state/session.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../ui.js";
import { AttachDialog } from "./attach.js";
import { Chips } from "./chips.js";
import { contentOf, emptyDraft, frameSize, isBlank, LARGEST_FRAME, loadDraft, saveDraft } from "./draft.js";
import { bytes, count } from "./format.js";
import { plain } from "../../plain.js";

/** @typedef {import("./draft.js").Attachment} Attachment */
/** @typedef {import("./draft.js").Draft} Draft */

/** A longer pasted text becomes a chip. */
const LONG_PASTE = 2_000;

/**
 * @param {{view: import("./row.js").View, hint: string}} props `hint`: a sentence that replaces the usual hint
 */
export function Composer({ view, hint }) {
  const { conversation, agentName } = view;
  const threadId = conversation.threadId;
  const [draft, setDraft] = useState(() => loadDraft(agentName, threadId));
  const [error, setError] = useState("");
  const [isAttaching, setAttaching] = useState(false);
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const change = (/** @type {Partial<Draft>} */ part) => {
    setError("");
    setDraft((/** @type {Draft} */ before) => ({ ...before, ...part }));
  };
  const savedAs = useRef(threadId);
  useEffect(() => {
    // The first message has created the thread, and the next one belongs to it.
    if (savedAs.current !== threadId) saveDraft(agentName, savedAs.current, emptyDraft());
    savedAs.current = threadId;
    saveDraft(agentName, threadId, draft);
  }, [agentName, threadId, draft]);
  useLayoutEffect(() => grow(area.current), [draft.text]);
  useEffect(() => {
    // A person can write at once. On a touch screen, the focus would open the keyboard.
    if (document.activeElement === document.body && matchMedia("(hover: hover)").matches) area.current?.focus();
  }, []);
  useEffect(() => {
    const onResize = () => grow(area.current);
    addEventListener("resize", onResize);
    return () => removeEventListener("resize", onResize);
  }, []);

  const send = () => {
    if (isBlank(draft)) return;
    const content = contentOf(draft);
    const size = frameSize(content);
    if (size > LARGEST_FRAME) {
      setError(`This message has ${bytes(size)}. A server accepts at most ${bytes(LARGEST_FRAME)}: please shorten it.`);
      return;
    }
    try {
      conversation.send(content);
    } catch (refused) {
      setError(/** @type {Error} */ (refused).message);
      return;
    }
    saveDraft(agentName, threadId, emptyDraft());
    setDraft(emptyDraft());
    setError("");
    area.current?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    // 229: Safari reports the Enter that ends a composition like this.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  };
  const onPaste = (/** @type {ClipboardEvent} */ event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.length <= LONG_PASTE) return;
    event.preventDefault();
    change({ pastes: [...draft.pastes, text] });
    announce(`Pasted text of ${count(text.length)} characters attached`);
  };
  const remove = (/** @type {"pastes" | "attachments"} */ list, /** @type {number} */ position) => {
    change({ [list]: draft[list].toSpliced(position, 1) });
    area.current?.focus();
  };
  const stop = () => {
    for (const { id } of conversation.running ?? []) {
      view.client.cancel({ run_id: id }).catch((/** @type {Error} */ refused) => setError(refused.message));
    }
    area.current?.focus();
  };
  const closeDialog = () => {
    setAttaching(false);
    area.current?.focus();
  };
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    send();
  };
  const label = `Message ${plain(agentName)}`;
  return html`<form class="composer" aria-label="New message" onSubmit=${onSubmit}>
    ${error && html`<p class="notice error" role="alert">${error}</p>`}
    <div class="box">
      <${Chips} draft=${draft} onRemove=${remove} />
      <textarea id="composer" rows="1" dir="auto" autocomplete="off" placeholder=${label} aria-label=${label}
        aria-describedby="composer-hint" value=${draft.text} ref=${area} onKeyDown=${onKeyDown} onPaste=${onPaste}
        onInput=${(/** @type {Event & {currentTarget: HTMLTextAreaElement}} */ event) => change({ text: event.currentTarget.value })}
      ></textarea>
      <div class="tools">
        <button type="button" class="button quiet" aria-haspopup="dialog" onClick=${() => setAttaching(true)}>
          <${Icon} name="add" />Attach a link
        </button>
        <span class=${hint ? "hint muted" : "hint usual muted"} id="composer-hint" role="status">
          ${hint || "Enter sends, Shift+Enter starts a new line"}
        </span>
        ${conversation.running?.length > 0 && view.client.supports("run.cancel")
          && html`<button type="button" class="button round" aria-label="Stop"
          title="Stop (Escape twice)" onClick=${stop}><${Icon} name="stop" /></button>`}
        <button type="submit" class="button primary round" aria-label="Send" title="Send (Enter)" disabled=${isBlank(draft)}>
          <${Icon} name="send" />
        </button>
      </div>
    </div>
    ${isAttaching && html`<${AttachDialog} onClose=${closeDialog}
      onAttach=${(/** @type {Attachment} */ part) => change({ attachments: [...draft.attachments, part] })} />`}
  </form>`;
}

/** Makes the field as high as its text, up to the limit of the style. @param {HTMLTextAreaElement | null} area */
function grow(area) {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
