/** The title of a thread while it is edited. */

import { html, useLayoutEffect, useRef, useState } from "../../ui.js";

const maxBytes = 1024;

/**
 * An input in place of a title. Enter and leaving it save, Escape keeps the title as it was. An empty text removes the title.
 *
 * @param {{title: string, onSave: (title: string) => void, onClose: () => void}} props
 */
export function TitleEditor({ title, onSave, onClose }) {
  const element = useRef(/** @type {HTMLInputElement | null} */ (null));
  const isDone = useRef(false);
  const [text, setText] = useState(title);
  const isTooLong = new TextEncoder().encode(text).length > maxBytes;
  useLayoutEffect(() => {
    element.current?.focus();
    element.current?.select();
  }, []);
  const finish = (/** @type {boolean} */ save) => {
    if (isDone.current || (save && isTooLong)) return;
    isDone.current = true;
    const trimmed = text.trim();
    if (save && trimmed !== title) onSave(trimmed);
    onClose();
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    finish(event.key === "Enter");
  };
  return html`<input
    ref=${element}
    class="input title-editor"
    aria-label=${isTooLong ? "Title: at most 1 KiB" : "Title"}
    aria-invalid=${isTooLong}
    placeholder="No title"
    value=${text}
    onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setText(event.currentTarget.value)}
    onKeyDown=${onKeyDown}
    onBlur=${() => finish(!isTooLong)}
  />`;
}
