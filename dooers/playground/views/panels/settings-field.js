/** A setting: its label, input, state and error. */

import { plain } from "../../plain.js";
import { html, useId, useRef } from "../../ui.js";
import { sentence } from "../sentence.js";
import { JsonView } from "./json-view.js";
import { useDraft } from "./settings-draft.js";
import { SettingInput } from "./settings-inputs.js";
import { SecretInput } from "./settings-secret.js";
import { boundsOf, displayOf, kindOf, textOf } from "./settings-values.js";

/** @typedef {import("../../client.js").SettingsField} SettingsField */
/** @typedef {import("../../client.js").SettingsView} SettingsView */

/**
 * @typedef {object} FieldProps
 * @property {SettingsField} field
 * @property {SettingsView} view
 * @property {unknown} [standard] the default; undefined if it is not known
 */

const CONTROLS = "input, select, textarea";

/**
 * A field of any type.
 *
 * @param {FieldProps} props
 */
export function SettingField(props) {
  const { field } = props;
  const kind = isReadable(field) ? kindOf(field) : null;
  return kind === null
    ? html`<${UnknownField} field=${field} />`
    : html`<${KnownField} ...${props} kind=${kind} />`;
}

/** The members that are shown as texts, or that inputs take over. */
const TEXTS = [
  "label", "type", "placeholder", "min", "max", "rows", "src", "width", "height", "visibility", "description", "step",
  "min_length", "max_length", "format",
];

/** Whether all members that are shown as texts are texts or numbers. @param {any} field */
function isReadable(field) {
  if (typeof field !== "object" || field === null || typeof field.id !== "string") return false;
  return TEXTS.every((name) => typeof field[name] !== "object" || field[name] === null);
}

/** @param {FieldProps & {kind: string}} props */
function KnownField({ field, view, kind, standard }) {
  const id = useId();
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const draft = useDraft(view, field);
  const isLocked = field.readonly === true || (field.user_editable === false && view.audience !== "creator");
  const lock = field.readonly ? "Read-only" : isLocked ? "Only creators can change this" : "";
  const bounds = isLocked || kind === "choices" ? "" : boundsOf(field);
  const hasInput = kind !== "choices" && kind !== "password";
  const attributes = {
    id,
    "aria-describedby": `${id}-about ${id}-error`,
    "aria-invalid": draft.error !== null,
    "aria-required": hasInput && kind !== "checkbox" && field.required ? true : undefined,
    "aria-labelledby": hasInput ? undefined : `${id}-label`,
  };
  const isStandard = standard !== undefined && textOf(standard) === textOf(field.value);
  const canReset = !isLocked && !field.required && kind !== "password" && !isStandard && field.value !== null;

  // The focus stays in the field when the button that has it disappears.
  const refocus = () => {
    const controls = /** @type {NodeListOf<HTMLElement> | undefined} */ (root.current?.querySelectorAll(CONTROLS));
    controls?.[0]?.focus();
  };
  const discard = () => {
    refocus();
    draft.discard();
  };

  // A step to a button of this field does not save: it may take the other value.
  const onFocusOut = (/** @type {FocusEvent} */ event) => {
    if (root.current?.contains(/** @type {Node | null} */ (event.relatedTarget))) return;
    if (!draft.isChangedElsewhere && draft.error === null) draft.commit();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !draft.isChanged) return;
    event.stopPropagation();
    draft.discard();
  };

  return html`<div class="setting" ref=${root} onFocusOut=${onFocusOut} onKeyDown=${onKeyDown}>
    <div class="setting-head">
      ${kind === "checkbox" && html`<${SettingInput} ...${{ kind, field, draft, isLocked, attributes }} />`}
      ${
        kind !== "checkbox" &&
        (hasInput
          ? html`<label for=${id}>${field.label}</label>`
          : html`<span class="label" id=${`${id}-label`}>${field.label}</span>`)
      }
      ${field.required && html`<span class="tag">Required</span>`}
      ${field.visibility === "creator" && html`<span class="tag">Creator</span>`}
      <span class=${`setting-status ${draft.status}`}>
        ${draft.status === "saved" ? "Saved" : draft.status === "saving" ? "Saving…" : ""}
      </span>
      ${
        canReset &&
        html`<button
          class="button quiet small"
          type="button"
          aria-label=${`Reset ${field.label} to default`}
          onClick=${() => {
            refocus();
            draft.save(null);
          }}
        >Reset to default</button>`
      }
    </div>
    ${kind === "password" && html`<${SecretInput} ...${{ field, draft, isLocked, attributes }} />`}
    ${
      kind !== "password" &&
      kind !== "checkbox" &&
      html`<${SettingInput} ...${{ kind, field, draft, isLocked, attributes }} />`
    }
    <p class="muted" id=${`${id}-about`}>${about(field.description, bounds, lock)}</p>
    <div id=${`${id}-error`} aria-live="polite">
      ${
        draft.error &&
        html`<div class="notice error">
          <p>${sentence(draft.error.message)}</p>
          <div class="actions">
            ${
              // The server did not refuse the value: the connection was lost.
              !("code" in draft.error) &&
              draft.isChanged &&
              html`<button class="button quiet" type="button" onClick=${() => draft.commit()}>Try again</button>`
            }
            <button class="button quiet" type="button" onClick=${discard}>
              ${draft.isChanged ? "Discard the change" : "Dismiss"}
            </button>
          </div>
        </div>`
      }
      ${
        draft.isChangedElsewhere &&
        html`<div class="notice warning">
          <p>Changed elsewhere to ${displayOf(field)}.</p>
          <div class="actions">
            <button class="button quiet" type="button" onClick=${discard}>Take it</button>
            <button class="button quiet" type="button" onClick=${() => draft.commit()}>Save mine</button>
          </div>
        </div>`
      }
    </div>
  </div>`;
}

/**
 * Joins sentences.
 *
 * @param {...(string | null | undefined)} parts
 */
function about(...parts) {
  return parts
    .filter((part) => part)
    .map((part) => (/[.!?…]$/.test(part ?? "") ? part : `${part}.`))
    .join(" ");
}

/** A field of a newer server. @param {{field: SettingsField}} props */
function UnknownField({ field }) {
  return html`<details class="setting">
    <summary>${plain(field?.label ?? field?.id ?? "A setting")}: the playground does not know this kind of setting</summary>
    <${JsonView} text=${JSON.stringify(field) ?? "null"} label="Setting" />
  </details>`;
}
