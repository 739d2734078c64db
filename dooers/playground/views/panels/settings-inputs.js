/** The inputs of settings, one for each kind of field. */

import { html, useState } from "../../ui.js";
import { Remote } from "../remote.js";
import { kindOf, optionsOf } from "./settings-values.js";

/** @typedef {import("../../client.js").SettingsField} SettingsField */
/** @typedef {import("./settings-draft.js").Draft} Draft */

/**
 * @typedef {object} InputProps
 * @property {SettingsField} field
 * @property {Draft} draft
 * @property {boolean} isLocked
 * @property {Record<string, unknown>} attributes the id and the ARIA attributes of the control
 */

/** @type {Record<string, string>} */
const inputTypes = { email: "email", date: "date", time: "time", url: "url" };

/**
 * The input of a field.
 *
 * @param {InputProps & {kind: string}} props
 */
export function SettingInput({ kind, ...props }) {
  if (kind === "select") return html`<${Select} ...${props} />`;
  if (kind === "checkbox") return html`<${CheckBox} ...${props} />`;
  if (kind === "textarea" || kind === "list") return html`<${TextArea} ...${props} />`;
  if (kind === "choices") return html`<${Choices} ...${props} />`;
  if (kind === "color") return html`<${ColorInput} ...${props} />`;
  if (kind === "image") return html`<${ImageInput} ...${props} />`;
  if (kind === "number") return html`<${NumberInput} ...${props} />`;
  return html`<${TextInput} ...${props} />`;
}

/** @param {Event} event */
function textIn(event) {
  const target = /** @type {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} */ (event.currentTarget);
  return target.value;
}

/** @param {InputProps} props */
function TextInput({ field, draft, isLocked, attributes }) {
  const kind = kindOf(field) ?? "text";
  return html`<input
    ...${attributes}
    class=${`input ${kind === "duration" ? "mono" : ""}`}
    type=${inputTypes[kind] ?? "text"}
    value=${draft.text}
    placeholder=${field.placeholder ?? undefined}
    step=${kind === "time" && draft.text.length > 5 ? 1 : undefined}
    readonly=${isLocked}
    autocomplete="off"
    spellcheck=${kind === "text"}
    onInput=${(/** @type {Event} */ event) => draft.write(textIn(event))}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") draft.commit();
    }}
  />`;
}

/** The maximum number of steps of a slider. */
const MAX_STEPS = 1000;

/**
 * A number as a text, which keeps a refused value of any form, and a slider if the number has bounds.
 *
 * @param {InputProps} props
 */
function NumberInput({ field, draft, isLocked, attributes }) {
  const step = field.step || 1;
  const hasBounds = field.min != null && field.max != null && field.max > field.min;
  const hasSlider = hasBounds && (Number(field.max) - Number(field.min)) / step <= MAX_STEPS;
  const onArrow = (/** @type {number} */ direction) => {
    const places = Math.max(...[step, draft.text].map((value) => String(value).split(".")[1]?.length ?? 0));
    const next = (Number(draft.text) || 0) + direction * step;
    const bounded = Math.min(Math.max(next, field.min ?? -Infinity), field.max ?? Infinity);
    draft.write(String(Number(bounded.toFixed(Math.min(places, 20)))));
  };
  return html`<div class="number">
    <input
      ...${attributes}
      class="input"
      type="text"
      inputmode="decimal"
      value=${draft.text}
      placeholder=${field.placeholder ?? undefined}
      readonly=${isLocked}
      autocomplete="off"
      spellcheck=${false}
      onInput=${(/** @type {Event} */ event) => draft.write(textIn(event))}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter") draft.commit();
        if (isLocked || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
        event.preventDefault();
        onArrow(event.key === "ArrowUp" ? 1 : -1);
      }}
    />
    ${
      hasSlider &&
      html`<input
        type="range"
        aria-label=${`${field.label}, slider`}
        min=${field.min}
        max=${field.max}
        step=${step}
        value=${draft.text}
        disabled=${isLocked}
        onInput=${(/** @type {Event} */ event) => draft.write(textIn(event))}
        onChange=${(/** @type {Event} */ event) => draft.commit(textIn(event))}
      />`
    }
  </div>`;
}

/** @param {InputProps} props */
function TextArea({ field, draft, isLocked, attributes }) {
  return html`<textarea
    ...${attributes}
    class="input"
    rows=${Math.min(Math.max(field.rows ?? 3, 2), 20)}
    placeholder=${field.placeholder ?? undefined}
    readonly=${isLocked}
    value=${draft.text}
    onInput=${(/** @type {Event} */ event) => draft.write(textIn(event))}
  ></textarea>`;
}

/** @param {InputProps} props */
function Select({ field, draft, isLocked, attributes }) {
  const options = optionsOf(field);
  const isKnown = options.some(({ value }) => value === draft.text);
  return html`<select
    ...${attributes}
    class="input"
    disabled=${isLocked}
    value=${draft.text}
    onChange=${(/** @type {Event} */ event) => draft.commit(textIn(event))}
  >
    ${
      !isKnown &&
      html`<option value=${draft.text}>${draft.text || field.placeholder || "No value"}</option>`
    }
    ${options.map(({ value, label }) => html`<option key=${value} value=${value}>${label}</option>`)}
  </select>`;
}

/** @param {InputProps} props */
function CheckBox({ field, draft, isLocked, attributes }) {
  return html`<label class="check">
    <input
      ...${attributes}
      type="checkbox"
      checked=${draft.text === "true"}
      disabled=${isLocked}
      onChange=${(/** @type {Event} */ event) =>
        draft.commit(/** @type {HTMLInputElement} */ (event.currentTarget).checked ? "true" : "")}
    />
    ${field.label}
  </label>`;
}

/** A list of items with options: one check box for each. @param {InputProps} props */
function Choices({ field, draft, isLocked, attributes }) {
  const chosen = draft.text.split("\n").filter((line) => line !== "");
  const options = optionsOf(field);
  const unknown = chosen.filter((item) => !options.some(({ value }) => value === item));
  const all = [...options, ...unknown.map((value) => ({ value, label: value }))];
  const toggle = (/** @type {string} */ value) => {
    const next = all.filter((option) => chosen.includes(option.value) !== (option.value === value));
    draft.commit(next.map((option) => option.value).join("\n"));
  };
  const { id, "aria-describedby": describedBy, "aria-labelledby": labelledBy } = attributes;
  return html`<div id=${id} class="choices" role="group" aria-labelledby=${labelledBy} aria-describedby=${describedBy}>
    ${all.map(
      ({ value, label }) =>
        html`<label class="check" key=${value}>
          <input
            type="checkbox"
            checked=${chosen.includes(value)}
            disabled=${isLocked}
            onChange=${() => toggle(value)}
          />
          ${label}
        </label>`,
    )}
  </div>`;
}

/** @param {InputProps} props */
function ColorInput({ field, draft, isLocked, attributes }) {
  const isColor = /^#[0-9a-f]{6}$/i.test(draft.text);
  return html`<div class="color">
    <input
      type="color"
      aria-label=${`${field.label}, picker`}
      value=${isColor ? draft.text.toLowerCase() : "#000000"}
      disabled=${isLocked}
      onInput=${(/** @type {Event} */ event) => draft.write(textIn(event))}
      onChange=${(/** @type {Event} */ event) => draft.commit(textIn(event))}
    />
    <${TextInput} field=${field} draft=${draft} isLocked=${isLocked} attributes=${attributes} />
  </div>`;
}

/** @param {InputProps} props */
function ImageInput({ field, draft, isLocked, attributes }) {
  const [failed, setFailed] = useState("");
  const source = draft.isChanged ? "" : draft.text || field.src || "";
  return html`<div class="image">
    <${TextInput} field=${field} draft=${draft} isLocked=${isLocked} attributes=${attributes} />
    ${
      source &&
      (failed === source
        ? html`<p class="muted">The image could not be loaded.</p>`
        : html`<${Remote} url=${source} kind="image" name=${field.label} content=${() => html`<img
            src=${source}
            alt=${`${field.label}, preview`}
            width=${field.width ?? undefined}
            height=${field.height ?? undefined}
            referrerpolicy="no-referrer"
            onError=${() => setFailed(source)}
          />`} />`)
    }
  </div>`;
}
