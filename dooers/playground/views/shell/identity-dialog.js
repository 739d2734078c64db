/** The identities: which one this tab uses, and what each consists of. */

import { Icon } from "../../icons.js";
import { announce } from "../../state/announce.js";
import { identities, identity, identityName, newIdentity, pickIdentity, removeIdentity, saveIdentity, withToken } from "../../state/identities.js";
import { connection, reconnectAs } from "../../state/session.js";
import { html, useState, useValue } from "../../ui.js";
import { Dialog } from "./dialog.js";
import { IdentityForm } from "./identity-form.js";

/** @typedef {import("../../state/identities.js").Identity} Identity */

/** Where an identity belongs. Of a token, only the server knows it. @param {Identity} one */
function about({ token, user, organization_id, workspace_id }) {
  return token ? "with a token" : [user.user_id, organization_id, workspace_id].filter(Boolean).join(" · ");
}

/** @param {{onClose: () => void}} props */
export function IdentityDialog({ onClose }) {
  const list = useValue(identities);
  const current = useValue(identity);
  const [edited, edit] = useState(current);
  // A server that refuses usually wants another token.
  const needsToken = useValue(connection).phase === "refused";
  const isNew = !list.some(({ id }) => id === edited.id);
  /** @param {Identity} changed */
  const use = (changed) => {
    saveIdentity(changed);
    pickIdentity(changed);
    reconnectAs();
    announce(`This tab connects as ${identityName(changed)}.`);
    onClose();
  };
  /** @param {string} id */
  const remove = (id) => {
    removeIdentity(id);
    edit(withToken(identities.value.find((one) => one.id === current.id) ?? identities.value[0]));
  };
  return html`<${Dialog} title="Identity" className="identity" focusesContent=${needsToken} onClose=${onClose}>
    <p class="muted">Who you are in this tab. Another tab can be somebody else.</p>
    <div class="identities">
      <ul class="identity-list" aria-label="Identities">
        ${list.map(
          (one) => html`<li key=${one.id}>
            <button class="identity-item" type="button" aria-pressed=${one.id === edited.id} onClick=${() => edit(withToken(one))}>
              <span class="identity-text">
                <span class="identity-title">${identityName(withToken(one))}</span>
                <span class="muted">${about(withToken(one))}</span>
              </span>
              ${one.id === current.id && html`<${Icon} name="check" /><span class="visually-hidden">used in this tab</span>`}
            </button>
          </li>`,
        )}
        <li>
          <button class="identity-item muted" type="button" aria-pressed=${isNew} onClick=${() => edit(newIdentity())}>
            New identity<${Icon} name="add" />
          </button>
        </li>
      </ul>
      <${IdentityForm}
        key=${edited.id}
        identity=${edited}
        focusesToken=${needsToken}
        canRemove=${!isNew && edited.id !== current.id}
        onUse=${use}
        onRemove=${() => remove(edited.id)}
      />
    </div>
  <//>`;
}
