/** A new token for an identity that expires. */

import { announce } from "../../state/announce.js";
import { identity, identityProblem, saveIdentity } from "../../state/identities.js";
import { renewToken } from "../../state/session.js";
import { errorText } from "../../state/toasts.js";
import { html, useState } from "../../ui.js";
import { Dialog } from "./dialog.js";
import { TextField } from "./text-field.js";

/** @param {{onClose: () => void}} props */
export function TokenDialog({ onClose }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState(/** @type {string | undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    const value = token.trim();
    const refused = value === "" ? "Paste a token." : identityProblem("token", value);
    setProblem(refused);
    if (refused || busy) return;
    setBusy(true);
    try {
      await renewToken(value);
      saveIdentity({ ...identity.value, token: value });
      announce("The token was renewed.");
      onClose();
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  return html`<${Dialog} title="New token" focusesContent onClose=${onClose}>
    <form class="form" novalidate onSubmit=${submit}>
      <p class="muted">The connection goes on with the new token. Nothing is interrupted.</p>
      <${TextField} label="Token" autofocus rows=${4} value=${token} problem=${problem} onInput=${setToken} />
      <p class="actions">
        <button class="button" type="button" onClick=${onClose}>Cancel</button>
        <button class="button primary" type="submit" aria-disabled=${busy}>Renew</button>
      </p>
    </form>
  <//>`;
}
