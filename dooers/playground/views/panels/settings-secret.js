/** The control of a password, whose value the server never sends. */

import { conceal } from "../../state/secrets.js";
import { html, useLayoutEffect, useRef, useState } from "../../ui.js";

/**
 * Sets, replaces or removes a password.
 *
 * @param {import("./settings-inputs.js").InputProps} props
 */
export function SecretInput({ field, draft, isLocked, attributes }) {
  const [mode, setMode] = useState(/** @type {"" | "edit" | "remove"} */ (""));
  const [text, setText] = useState("");
  const first = useRef(/** @type {HTMLElement | null} */ (null));
  const opener = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const wasOpen = useRef(false);

  // The focus follows the controls that replace each other.
  useLayoutEffect(() => {
    if (mode) first.current?.focus();
    else if (wasOpen.current) opener.current?.focus();
    wasOpen.current = mode !== "";
  }, [mode]);

  const close = () => {
    setMode("");
    setText("");
    draft.discard();
  };
  const save = async (/** @type {string | null} */ value) => {
    if (value) conceal(value);
    if (value === "" || !(await draft.save(value))) return;
    setMode("");
    setText("");
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter") save(text);
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };

  if (mode === "edit") {
    return html`<div class="secret">
      <input
        ...${attributes}
        ref=${first}
        class="input"
        type="password"
        autocomplete="new-password"
        placeholder=${field.placeholder ?? undefined}
        value=${text}
        onInput=${(/** @type {Event} */ event) => setText(/** @type {HTMLInputElement} */ (event.currentTarget).value)}
        onKeyDown=${onKeyDown}
      />
      <div class="actions">
        <button class="button" type="button" onClick=${close}>Cancel</button>
        <button class="button primary" type="button" disabled=${text === ""} onClick=${() => save(text)}>Save</button>
      </div>
    </div>`;
  }
  if (mode === "remove") {
    return html`<div class="secret">
      <p>Remove the stored value? It cannot be restored.</p>
      <div class="actions">
        <button class="button" type="button" ref=${first} onClick=${close}>Keep</button>
        <button class="button danger" type="button" onClick=${() => save(null)}>Remove</button>
      </div>
    </div>`;
  }
  return html`<div class="secret-state">
    <span id=${attributes.id} class=${field.has_value ? "" : "muted"}>${field.has_value ? "••••••••" : "Not set"}</span>
    ${
      !isLocked &&
      html`<button
          class="button"
          type="button"
          ref=${opener}
          aria-label=${`${field.has_value ? "Replace" : "Set"} ${field.label}`}
          onClick=${() => setMode("edit")}
        >${field.has_value ? "Replace" : "Set"}</button>
        ${
          field.has_value &&
          !field.required &&
          html`<button
            class="button"
            type="button"
            aria-label=${`Remove ${field.label}`}
            onClick=${() => setMode("remove")}
          >Remove</button>`
        }`
    }
  </div>`;
}
