/** The fields of a form. */

import { Component, html, useId } from "../../ui.js";
import { Json, Unknown } from "./json.js";
import { isChoice, optionsOf } from "./form-values.js";
import { plain } from "../../plain.js";

/** The types of an input whose browsers' own input accepts the same texts as the server. */
const INPUT_TYPES = ["text", "password", "email"];

/**
 * @typedef {object} Props
 * @property {string} id
 * @property {any} element
 * @property {any} value
 * @property {string} problem why the value cannot be sent
 * @property {boolean} isDisabled
 * @property {(value: unknown) => void} onChange
 */

/**
 * A field, which is drawn again only if something of it changes: a form may have a thousand fields.
 *
 * @extends {Component<Props>}
 */
export class FormField extends Component {
  /** @param {Props} next */
  shouldComponentUpdate({ element, value, problem, isDisabled }) {
    const { props } = this;
    return element !== props.element || value !== props.value || problem !== props.problem || isDisabled !== props.isDisabled;
  }

  /** @param {Props} props */
  render(props) {
    return html`<${Field} ...${props} />`;
  }
}

/** @param {Props} props */
function Field(props) {
  const id = useId();
  const { element, problem } = props;
  const isGroup = element.type === "radio_input" || element.type === "checkbox_input";
  const mark = element.required && html`<span class="required" aria-hidden="true"> *</span>`;
  const label = html`<span dir="auto">${plain(element.label || element.name)}</span>${mark}`;
  const described = problem ? `${id}-problem` : undefined;
  const input = { ...props, inputId: id, described, isDisabled: props.isDisabled || element.disabled === true };
  const text = problem && html`<p class="error-text" id=${`${id}-problem`}>${problem}</p>`;
  if (isGroup) {
    const isRadio = element.type === "radio_input";
    return html`<fieldset class="field" role=${isRadio ? "radiogroup" : "group"} aria-describedby=${described}
      aria-required=${isRadio && element.required ? "true" : undefined}>
      <legend class="label">${label}</legend>
      <${Choices} ...${input} />${text}
    </fieldset>`;
  }
  return html`<div class="field"><label for=${id}>${label}</label><${Input} ...${input} />${text}</div>`;
}

/** @param {Props & {inputId: string, described?: string}} props */
function Input({ id, inputId, element, value, problem, described, isDisabled, onChange }) {
  const common = {
    id: inputId,
    class: "input",
    disabled: isDisabled,
    required: element.required === true,
    placeholder: plain(element.placeholder ?? ""),
    "aria-invalid": problem !== "",
    "aria-describedby": described,
    onInput: (/** @type {any} */ event) => onChange(event.currentTarget.value),
  };
  switch (element.type) {
    case "text_input":
      return html`<input ...${common} type=${typeOf(element.input_type, value)} value=${value ?? ""} dir="auto"
        inputmode=${element.input_type === "number" ? "decimal" : undefined}
        autocomplete=${element.input_type === "password" ? "new-password" : "off"} />`;
    case "textarea_input":
      return html`<textarea ...${common} rows=${Math.min(Math.max(Number(element.rows) || 3, 1), 30)} value=${value ?? ""}
        dir="auto"></textarea>`;
    case "select_input":
      return html`<select ...${common} value=${value ?? ""}>
        <option value="">${plain(element.placeholder || "Choose…")}</option>
        ${optionsOf(element).map((option) => html`<option key=${option.value} value=${option.value}>
          ${plain(option.label)}
        </option>`)}
      </select>`;
    case "file_input":
      return html`<input id=${inputId} class="input" type="file" disabled aria-describedby=${`${inputId}-note`} />
        <p class="muted" id=${`${inputId}-note`}>This server cannot receive files yet.${element.required && !element.disabled
          ? " The form requires this file, so it can only be canceled." : " This field is optional: leave it empty."}</p>`;
    default:
      return html`<${Unknown} id=${id} name=${`Field of type ${element.type}`} value=${element} />`;
  }
}

/**
 * Browsers do not show a date with a time in a date field, so such a value is shown as text.
 *
 * @param {unknown} type
 * @param {unknown} value
 */
function typeOf(type, value) {
  if (type === "date") return !value || /^\d{4}-\d{2}-\d{2}$/.test(String(value)) ? "date" : "text";
  return INPUT_TYPES.includes(String(type)) ? type : "text";
}

/** @param {Props & {inputId: string}} props */
function Choices({ inputId, element, value, problem, isDisabled, onChange }) {
  const isMany = element.type === "checkbox_input";
  const chosen = isMany ? (Array.isArray(value) ? value : []) : [value];
  const choose = (/** @type {string} */ option, /** @type {boolean} */ isOn) => {
    if (!isMany) onChange(option);
    else onChange(optionsOf(element).map((one) => one.value).filter((one) => (one === option ? isOn : chosen.includes(one))));
  };
  return html`<div class=${element.variant === "button" ? "choices buttons" : "choices"}>
    ${optionsOf(element).map((option, index) => html`<label key=${option.value} class="choice">
      <input type=${isMany ? "checkbox" : "radio"} name=${inputId} checked=${chosen.includes(option.value)} disabled=${isDisabled}
        aria-invalid=${problem !== "" && index === 0 ? "true" : undefined}
        onChange=${(/** @type {any} */ event) => choose(option.value, event.currentTarget.checked)} />
      <span dir="auto">${plain(option.label)}</span>
    </label>`)}
  </div>`;
}

/**
 * A value that was sent.
 *
 * @param {{element: any, value: any, hasValue: boolean}} props `hasValue`: whether a password was given
 */
export function ShownValue({ element, value, hasValue }) {
  if (element.input_type === "password") return hasValue ? html`<span class="muted">Filled in</span>` : html`<${None} />`;
  if (value === undefined || value === null || value === "" || value?.length === 0) {
    return element.disabled && element.default ? html`<span dir="auto">${plain(element.default)}</span>` : html`<${None} />`;
  }
  if (isChoice(element)) {
    const labels = new Map(optionsOf(element).map((option) => [option.value, option.label]));
    return html`<span dir="auto">${[value].flat().map((one) => labels.get(plain(one)) ?? plain(one)).join(", ")}</span>`;
  }
  if (typeof value === "object") return html`<${Json} id=${`value ${element.name}`} label="Value" value=${value} />`;
  return html`<span class="text" dir="auto">${plain(value)}</span>`;
}

function None() {
  return html`<span class="muted">Not answered</span>`;
}
