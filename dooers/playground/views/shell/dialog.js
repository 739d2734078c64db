/** A modal dialog. */

import { Icon } from "../../icons.js";
import { html, useId, useLayoutEffect, useRef } from "../../ui.js";

/**
 * Shows its children above the page until `onClose`. Escape and a click beside the dialog close it. The browser keeps the
 * focus inside, and returns it afterwards.
 *
 * @param {{title: string, className?: string, focusesContent?: boolean, onClose: () => void, children?: unknown}} props
 *   `focusesContent`: a child has the attribute `autofocus`. Otherwise the dialog itself gets the focus
 */
export function Dialog({ title, className = "", focusesContent = false, onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const pressedBeside = useRef(false);
  const titleId = useId();
  useLayoutEffect(() => {
    const { current } = element;
    current?.showModal();
    return () => current?.close();
  }, []);
  /** @param {Event} event */
  const isBeside = (event) => event.target === element.current;
  return html`<dialog
    ref=${element}
    class=${`dialog ${className}`}
    aria-labelledby=${titleId}
    autofocus=${!focusesContent}
    onCancel=${(/** @type {Event} */ event) => {
      if (!isBeside(event)) return;
      event.preventDefault();
      onClose();
    }}
    onPointerDown=${(/** @type {Event} */ event) => (pressedBeside.current = isBeside(event))}
    onClick=${(/** @type {Event} */ event) => {
      // A selection that is dragged out of the dialog does not close it.
      if (pressedBeside.current && isBeside(event)) onClose();
    }}
  >
    <div class="dialog-content">
      <header class="dialog-header">
        <h2 id=${titleId}>${title}</h2>
        <button class="button quiet" type="button" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      ${children}
    </div>
  </dialog>`;
}

/**
 * Asks before an action that cannot be undone.
 *
 * @param {{title: string, children: unknown, action: string, onConfirm: () => void, onClose: () => void}} props
 */
export function ConfirmDialog({ title, children, action, onConfirm, onClose }) {
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return html`<${Dialog} title=${title} className="confirm" focusesContent onClose=${onClose}>
    <p>${children}</p>
    <p class="actions">
      <button class="button" type="button" autofocus onClick=${onClose}>Cancel</button>
      <button class="button danger" type="button" onClick=${confirm}>${action}</button>
    </p>
  <//>`;
}
