/** A labelled input, of several lines for a long value. */

import { html, useId } from "../../ui.js";

/**
 * Submits the form by Enter, as an input of one line does. A token has no line breaks.
 *
 * @param {KeyboardEvent & {currentTarget: HTMLTextAreaElement}} event
 */
function submitByEnter(event) {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}

/**
 * @param {{label: string, value: string, onInput: (value: string) => void, hint?: string, problem?: string, rows?: number,
 *   type?: string, suggestions?: string[], autofocus?: boolean}} props
 */
export function TextField({ label, value, onInput, hint, problem, rows, type = "text", suggestions, autofocus }) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  const shared = {
    id,
    class: `input ${rows ? "mono" : ""}`,
    value,
    autocomplete: "off",
    spellcheck: false,
    autofocus,
    "aria-invalid": problem !== undefined,
    "aria-describedby": described,
    onInput: (/** @type {{currentTarget: HTMLInputElement}} */ event) => onInput(event.currentTarget.value),
  };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${rows ? html`<textarea ...${shared} rows=${rows} onKeyDown=${submitByEnter} />` : html`<input ...${shared} type=${type} list=${suggestions && `${id}-list`} />`}
    ${suggestions && html`<datalist id=${`${id}-list`}>${suggestions.map((one) => html`<option key=${one} value=${one} />`)}</datalist>`}
    ${hint && html`<p id=${`${id}-hint`} class="muted">${hint}</p>`}
    ${problem && html`<p id=${`${id}-problem`} class="problem" role="alert">${problem}</p>`}
  </div>`;
}
