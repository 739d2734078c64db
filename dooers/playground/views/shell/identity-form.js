/** The members of an identity. */

import { identityProblem, makeUser } from "../../state/identities.js";
import { html, useRef, useState } from "../../ui.js";
import { TextField } from "./text-field.js";

/** @typedef {import("../../state/identities.js").Identity} Identity */
/** @typedef {import("../../state/identities.js").IdentityField} Field */

/** @type {{field: Field, label: string, hint?: string, type?: string, suggestions?: string[]}[]} */
const fields = [
  { field: "user_id", label: "User ID", hint: "Empty for an anonymous user." },
  { field: "user_name", label: "Name" },
  { field: "user_email", label: "Email" },
  { field: "organization_role", label: "Role", suggestions: ["owner", "manager", "member"] },
  { field: "organization_id", label: "Organization" },
  { field: "workspace_id", label: "Workspace" },
  { field: "worker_id", label: "Worker", hint: "Conversations and settings belong to one worker." },
];

/**
 * @param {Identity} identity
 * @returns {Record<Field, string>}
 */
function valuesOf({ user, worker_id, organization_id, workspace_id, token }) {
  return {
    user_id: user.user_id,
    user_name: user.user_name ?? "",
    user_email: user.user_email ?? "",
    organization_role: user.organization_role ?? "",
    organization_id,
    workspace_id,
    worker_id,
    token,
  };
}

/** @param {{identity: Identity, canRemove: boolean, focusesToken: boolean, onUse: (changed: Identity) => void, onRemove: () => void}} props */
export function IdentityForm({ identity, canRemove, focusesToken, onUse, onRemove }) {
  const [values, setValues] = useState(() => valuesOf(identity));
  const [remember, setRemember] = useState(identity.remember);
  const [wasSent, setWasSent] = useState(false);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const problemOf = (/** @type {Field} */ field) => identityProblem(field, values[field].trim());
  const shownProblem = (/** @type {Field} */ field) => (wasSent || values[field] !== valuesOf(identity)[field] ? problemOf(field) : undefined);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    setWasSent(true);
    const trimmed = /** @type {Record<Field, string>} */ (
      Object.fromEntries(Object.entries(values).map(([field, value]) => [field, value.trim()]))
    );
    if (Object.keys(trimmed).some((field) => problemOf(/** @type {Field} */ (field)))) {
      requestAnimationFrame(() => form.current?.querySelector(/** @type {"input"} */ ("[aria-invalid=true]"))?.focus());
      return;
    }
    onUse({
      id: identity.id,
      worker_id: trimmed.worker_id,
      organization_id: trimmed.organization_id,
      workspace_id: trimmed.workspace_id,
      user: makeUser(trimmed.user_id, trimmed.user_name, trimmed.user_email, trimmed.organization_role),
      token: trimmed.token,
      remember,
    });
  };
  return html`<form class="form identity-form" ref=${form} novalidate onSubmit=${submit}>
    ${fields.map(
      ({ field, label, hint, type, suggestions }) => html`<${TextField}
        key=${field}
        label=${label}
        hint=${hint}
        type=${type}
        suggestions=${suggestions}
        value=${values[field]}
        problem=${shownProblem(field)}
        onInput=${(/** @type {string} */ value) => setValues({ ...values, [field]: value })}
      />`,
    )}
    <${TextField}
      label="Token"
      rows=${2}
      autofocus=${focusesToken}
      hint="Only for a server that checks who you are. It takes the user, organization and workspace from the token."
      value=${values.token}
      problem=${shownProblem("token")}
      onInput=${(/** @type {string} */ token) => setValues({ ...values, token })}
    />
    <label class="choice">
      <input
        type="checkbox"
        checked=${remember}
        onChange=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setRemember(event.currentTarget.checked)}
      />
      <span>Remember the token <span class="muted">Otherwise it is kept until this tab is closed.</span></span>
    </label>
    <p class="actions">
      ${canRemove && html`<button class="button danger" type="button" onClick=${onRemove}>Delete</button>`}
      <button class="button primary" type="submit">Use in this tab</button>
    </p>
  </form>`;
}
