/** The panel of the settings: a form that the agent's snapshot describes. */

import { client } from "../../state/session.js";
import { html, signal, useChanges, useEffect, useId, useState, useValue } from "../../ui.js";
import { SettingField } from "./settings-field.js";
import { fieldsById } from "./settings-values.js";

/** @typedef {import("../../client.js").Client} Client */
/** @typedef {import("../../client.js").SettingsView} SettingsView */
/** @typedef {import("../../client.js").SettingsField} SettingsField */
/** @typedef {import("../../client.js").SettingsFieldGroup} SettingsFieldGroup */
/** @typedef {"user" | "creator"} Audience */

/** The audience stays while the panel is closed. */
const audience = signal(/** @type {Audience} */ ("user"));

/** Shows and changes the settings of the agent. */
export function SettingsPanel() {
  const id = useId();
  const source = useValue(client);
  const chosen = useValue(audience);
  return html`<section class="panel settings" aria-labelledby=${`${id}-title`}>
    <h2 class="visually-hidden" id=${`${id}-title`}>Settings</h2>
    <header class="panel-head">
      <span class="muted" id=${`${id}-audience`}>Audience</span>
      <div class="segments" role="group" aria-labelledby=${`${id}-audience`}>
        ${["user", "creator"].map(
          (name) =>
            html`<button
              key=${name}
              type="button"
              aria-pressed=${name === chosen}
              title=${name === "user" ? "What every user may see and change" : "With the settings for owners and managers"}
              onClick=${() => (audience.value = /** @type {Audience} */ (name))}
            >${name === "user" ? "User" : "Creator"}</button>`,
        )}
      </div>
    </header>
    <div class="panel-body">
      ${
        source
          ? html`<${Form} key=${chosen} source=${source} audience=${chosen} />`
          : html`<p class="muted">Choose an agent to see its settings.</p>`
      }
    </div>
  </section>`;
}

/** @param {{source: Client, audience: Audience}} props */
function Form({ source, audience: chosen }) {
  const [view, setView] = useState(/** @type {SettingsView | null} */ (null));
  const [opened, setOpened] = useState(0);
  useEffect(() => {
    const made = source.settings(chosen);
    setView(made);
    return () => {
      made.close();
      // The fields of another agent begin without the drafts of this one.
      setView(null);
    };
  }, [source, chosen, opened]);
  useChanges(view);
  const isOpen = view?.state === "open";
  const standards = useStandards(source, isOpen);
  if (!view || view.state === "opening") return html`<p class="muted" role="status">Loading…</p>`;
  if (view.state === "failed") {
    return html`<${Failure} error=${view.error} audience=${chosen} onRetry=${() => setOpened(opened + 1)} />`;
  }
  const fields = Array.isArray(view.fields) ? view.fields : [];
  if (fields.length === 0) return html`<p class="muted">There are no settings for this audience.</p>`;
  const shared = { view, standards };
  return html`<form autocomplete="off" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    ${fields.map((field, index) => html`<${Entry} key=${keyOf(field, index)} entry=${field} ...${shared} />`)}
  </form>`;
}

/** @param {SettingsField | SettingsFieldGroup} field @param {number} index */
function keyOf(field, index) {
  return typeof field?.id === "string" ? `field ${field.id}` : index;
}

/**
 * A field, or a group of fields.
 *
 * @param {{entry: SettingsField | SettingsFieldGroup, view: SettingsView, standards: Map<string, SettingsField> | null}} props
 */
function Entry({ entry, ...shared }) {
  if (typeof entry !== "object" || entry === null || !("fields" in entry) || !Array.isArray(entry.fields)) {
    const field = /** @type {SettingsField} */ (entry);
    // Until the defaults arrive, no field can be reset: the buttons would flash.
    const standard = shared.standards === null ? field?.value : shared.standards.get(field?.id)?.value;
    return html`<${SettingField} field=${field} view=${shared.view} standard=${standard} />`;
  }
  const contents = html`
    ${entry.description && html`<p class="muted">${entry.description}</p>`}
    ${entry.fields.map((field, index) => html`<${Entry} key=${keyOf(field, index)} entry=${field} ...${shared} />`)}
  `;
  if (entry.collapsible === "open" || entry.collapsible === "closed") {
    return html`<details class="group" open=${entry.collapsible === "open"}>
      <summary><h3>${entry.label}</h3></summary>
      <div class="group-body">${contents}</div>
    </details>`;
  }
  return html`<fieldset class="group">
    <legend><h3>${entry.label}</h3></legend>
    <div class="group-body">${contents}</div>
  </fieldset>`;
}

/**
 * The fields with their defaults, as the public schema has them. `null` until they arrive.
 *
 * @param {Client} source
 * @param {boolean} isNeeded
 */
function useStandards(source, isNeeded) {
  const [standards, setStandards] = useState(/** @type {Map<string, SettingsField> | null} */ (null));
  useEffect(() => {
    if (!isNeeded) return undefined;
    let isCurrent = true;
    source.request("settings.public_schema", {}).then(
      (answer) => isCurrent && setStandards(fieldsById(answer?.schema?.fields)),
      // Without the defaults, every field can be reset.
      () => isCurrent && setStandards(new Map()),
    );
    return () => {
      isCurrent = false;
    };
  }, [source, isNeeded]);
  return standards;
}

/** @param {{error: unknown, audience: Audience, onRetry: () => void}} props */
function Failure({ error, audience: chosen, onRetry }) {
  const code = /** @type {{code?: string}} */ (error)?.code;
  const message = error instanceof Error ? error.message : "The settings could not be loaded.";
  if (code === "NOT_CONFIGURED") {
    return html`<p class="muted">This agent has no settings. A handler that takes a settings type gets a form here.</p>`;
  }
  return html`<div class="notice error" role="alert">
      <p>${message}</p>
    </div>
    <div class="actions">
      ${
        chosen === "creator" &&
        html`<button class="button" type="button" onClick=${() => (audience.value = "user")}>Show as user</button>`
      }
      <button class="button" type="button" onClick=${onRetry}>Try again</button>
    </div>`;
}
